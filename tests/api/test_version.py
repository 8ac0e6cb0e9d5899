"""The version: in `pyproject.toml`, and nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path

from api.version import project_version
from tests.server import PROJECT


def test_version_of_another_file(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "other"\nversion = "9.8.7"\n', encoding="utf-8")

    assert project_version(path) == "9.8.7"


def test_version_stands_in_no_other_file() -> None:
    told = subprocess.run(
        [
            "git",
            "grep",
            "-lF",
            f'"{project_version()}"',
            "--",
            "*.py",
            "*.toml",
            "*.yaml",
            "*.json",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.split() == ["pyproject.toml"]
