"""The service on a machine whose clock is so many seconds ahead as the file in CLOCK says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

OFFSET = Path(os.environ["CLOCK"])


def moved(clock: Callable[[], float]) -> Callable[[], float]:
    """The same clock, as far ahead of itself as the file says."""
    return lambda: clock() + float(OFFSET.read_text(encoding="utf-8"))


patch.object(time, "time", moved(time.time)).start()

from service import Whisper  # noqa: E402

__all__ = ["Whisper"]
