"""Which processes a run has, and which GPU each of them sees."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from bulk.run import Seen
from cli.bulk_run.engines import CHILD, engine_of, environs, project_path
from client.backend.errors import UsageError
from tests.server import SECONDS


@pytest.mark.parametrize(
    ("gpus", "visible", "seen"),
    [
        (0, None, [None]),
        (1, None, [None]),
        (1, "2,3", ["2,3"]),
        (3, None, ["0", "1", "2"]),
        (2, "2,3", ["2", "3"]),
        (2, "GPU-a,GPU-b,GPU-c", ["GPU-a", "GPU-b"]),
    ],
)
def test_each_engine_sees_one_gpu_of_those_that_are_seen(
    gpus: int, visible: str | None, seen: list[str | None]
) -> None:
    environ = {"PATH": "/bin"} | ({"CUDA_VISIBLE_DEVICES": visible} if visible else {})
    found = environs(gpus, environ)
    assert [each.get("CUDA_VISIBLE_DEVICES") for each in found] == seen
    assert all(each["PATH"] == "/bin" for each in found)


def test_more_gpus_than_there_are_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.engine.device.gpus.count_gpus", lambda: 1)
    given = argparse.Namespace(runner="local", gpus=2, in_flight=None, max_restarts=5)
    seen = Seen(Mock(), print, lambda: None)
    with pytest.raises(UsageError, match="--gpus 2: PyTorch can use 1 here"):
        engine_of(given, {}, seen)


def test_the_engine_does_not_import_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text("raise SystemExit('a file of the user was run')")
    environ = {**os.environ, "PYTHONPATH": project_path({"PYTHONPATH": ""})}
    done = subprocess.run(
        [*CHILD, "x", "x"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "a file of the user was run" not in done.stderr
    # It came as far as its arguments.
    assert "invalid literal for int()" in done.stderr


def test_more_engines_than_gpus_are_refused() -> None:
    with pytest.raises(UsageError, match="CUDA_VISIBLE_DEVICES names 2"):
        environs(3, {"CUDA_VISIBLE_DEVICES": "2,3"})
