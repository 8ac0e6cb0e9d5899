"""The package of the client: its version, its pins, and a wheel that runs by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import client
from api.version import project_version
from tests.server import PROJECT

FOLDER = PROJECT / "client"
PACKAGE = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))


def test_version_is_that_of_the_project() -> None:
    assert client.__version__ == project_version()


def test_pins_are_those_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(PACKAGE["project"]["dependencies"]) < set(project["dependencies"])


def test_every_room_is_packed() -> None:
    rooms = {path.parent for path in FOLDER.rglob("*.py")}
    names = {".".join(room.relative_to(PROJECT).parts) for room in rooms}
    assert set(PACKAGE["tool"]["setuptools"]["packages"]) == names


def test_a_wheel_of_it_runs_by_itself(tmp_path: Path) -> None:
    source = tmp_path / "client"
    shutil.copytree(FOLDER, source, ignore=shutil.ignore_patterns("__pycache__"))
    build = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", *build, "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name == f"whisper_bento_client-{project_version()}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "client", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == f"whisper-bento {project_version()}\n"


def test_help_imports_no_client_of_http_and_is_quick() -> None:
    code = (
        "import sys; from client.__main__ import main\n"
        "try: main(['transcribe', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'httpx', 'rich', 'asyncio'} & {*sys.modules}, file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert told.stderr == "set()\n"

    def seconds(*command: str) -> float:
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], cwd=PROJECT, capture_output=True, check=True)
        after = getrusage(RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Of a core, beyond what an empty program takes here, the best of several.
    ours, empty = (
        min(seconds(*command) for _ in range(5))
        for command in (("-m", "client", "transcribe", "--help"), ("-c", ""))
    )
    assert ours - empty < 0.3
