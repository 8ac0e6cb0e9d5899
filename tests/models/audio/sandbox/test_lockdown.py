"""Lockdown of the sandbox child, tried from inside."""

from __future__ import annotations

import ctypes
import json
import socket
from pathlib import Path

import pytest

from models.audio.sandbox.landlock import landlock_version
from models.audio.sandbox.reader import Sandbox
from models.errors import AudioError

LANDLOCK = landlock_version(ctypes.CDLL(None))


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What came of each attempt of a child."""
    monkeypatch.setenv("WHISPER_API_KEYS", "a-secret-key")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    wanted = tmp_path / "wanted.json"
    box = Sandbox(work="tests.models.audio.sandbox.works:reach")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        wanted.write_text(json.dumps({"path": str(tmp_path / "secret.txt"), "port": port}))
        with wanted.open("r+b") as file, pytest.raises(AudioError) as caught:
            next(box.read(file))
    box.close()
    assert (tmp_path / "secret.txt").read_text(encoding="utf-8") == "secret" or not LANDLOCK
    found: dict[str, str] = json.loads(caught.value.message)
    return found


def test_child_opens_nothing(said: dict[str, str]) -> None:
    attempts = ("read", "write", "list", "connect", "listen", "pipe", "copy a descriptor", "run")

    assert [name for name in attempts if said[name] == "done"] == []
    assert said["grow its file"] == "OSError"


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
def test_child_changes_nothing_by_its_name(said: dict[str, str]) -> None:
    attempts = ("truncate", "rename", "unlink", "make a folder")

    assert {said[name] for name in attempts} == {"PermissionError"}


def test_child_has_nothing_of_the_servers(said: dict[str, str]) -> None:
    assert set(said["environment"].split()) <= {"PYTHONPATH", "OPENBLAS_NUM_THREADS", "LC_CTYPE"}
    assert said["descriptors"] == "0 1 2"
    assert said["threads"] == "1"
