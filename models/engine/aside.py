"""PyTorch asked in a process of its own, with which the memory goes that it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from models.errors import DeviceError

_ROOT = Path(__file__).parents[2]
_SECONDS = 120


def ask_pytorch(arguments: Sequence[str], question: str = "") -> str:
    """What Python prints that is started with these arguments and reads this question.

    Raises:
        DeviceError: it fails, or has no answer after minutes.
    """
    try:
        asked = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, *arguments],
            input=question,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            cwd=_ROOT,
        )
    except subprocess.TimeoutExpired:
        raise _failure(f"no answer in {_SECONDS} seconds") from None
    except subprocess.CalledProcessError as error:
        *_, last = error.stderr.strip().splitlines() or [f"status {error.returncode}"]
        raise _failure(last) from None
    return asked.stdout


def _failure(reason: str) -> DeviceError:
    return DeviceError(f"PyTorch cannot tell what this machine has: {reason}")
