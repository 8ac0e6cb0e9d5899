"""A home for a server of its own: BentoML wipes what others count in theirs when it starts."""

from __future__ import annotations

import os
from pathlib import Path


def own_home(folder: Path) -> str:
    """A new BENTOML_HOME with the models of the tests."""
    home = folder / "home"
    home.mkdir()
    (home / "models").symlink_to(Path(os.environ["BENTOML_HOME"]) / "models")
    return str(home)
