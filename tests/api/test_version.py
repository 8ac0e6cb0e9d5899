"""The version: in `pyproject.toml`, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from api.version import project_version
from tests.server import PROJECT


def test_version_of_another_file(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "other"\nversion = "9.8.7"\n', encoding="utf-8")

    assert project_version(path) == "9.8.7"


def test_version_stands_in_no_other_file() -> None:
    folders = ("api", "cli", "deploy", "models", "scripts", "serving")
    files = [
        *PROJECT.glob("*.*"),
        *(path for each in folders for path in (PROJECT / each).rglob("*.*")),
    ]
    texts = [path for path in files if path.suffix in (".py", ".toml", ".yaml", ".json")]

    assert len(texts) > 200
    version = f'"{project_version()}"'
    assert [path.name for path in texts if version in path.read_text("utf-8")] == ["pyproject.toml"]
