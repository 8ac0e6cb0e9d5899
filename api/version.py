"""Version of this project: that of the `pyproject.toml` beside the code.

The file is in a checkout and in a bento alike. The metadata of an installed package is not: a bento
installs the dependencies alone, and in a checkout it is as old as the last `scripts/setup`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT_FILE = Path(__file__).parent.parent / "pyproject.toml"


def project_version(path: Path = PROJECT_FILE) -> str:
    """The version as it stands in this `pyproject.toml`."""
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"])
