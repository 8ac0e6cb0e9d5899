"""Scratch directories, and locks."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path

import pytest

from models.checkpoints.durable_files import locked, scratch_directory, sweep_scratch


def test_sweep_scratch_takes_what_its_owner_removes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = tmp_path / "scratch-finished"
    finished.mkdir()
    lock = fcntl.flock

    def lock_late(file: object, how: int) -> None:
        if isinstance(file, int) and finished.exists():
            shutil.rmtree(finished)
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", lock_late)
    sweep_scratch(tmp_path)
    assert not finished.exists()


def test_sweep_scratch_leaves_what_is_in_use(tmp_path: Path) -> None:
    abandoned = tmp_path / "scratch-abandoned"
    abandoned.mkdir()
    (abandoned / "file").touch()
    with scratch_directory(tmp_path) as used:
        sweep_scratch(tmp_path)
        assert used.exists()
    assert not used.exists()
    assert not abandoned.exists()


def test_locked_says_when_it_waits(tmp_path: Path) -> None:
    told: list[str] = []
    pid = os.fork()
    if not pid:
        with locked(tmp_path / "lock"):
            (tmp_path / "held").touch()
            time.sleep(0.3)
        os._exit(0)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with locked(tmp_path / "lock", lambda: told.append("waiting")):
        assert told == ["waiting"]
    os.waitpid(pid, 0)
