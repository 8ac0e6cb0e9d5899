"""PyTorch asked in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.checkpoints.catalogue import Dimensions
from models.engine.device.engine_config import EngineConfig
from models.engine.device.torch_subprocess import ask_pytorch
from models.engine.memory_estimate import estimate_engine_bytes
from models.errors import DeviceError
from tests.tiny import TINY


def test_what_is_printed_is_the_answer() -> None:
    assert ask_pytorch("print(input()[::-1])", str, "question\n") == "noitseuq\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("import sys; print('first', file=sys.stderr); sys.exit('no such library')", "no such lib"),
        ("import os; os.kill(os.getpid(), 9)", "status -9"),
    ],
)
def test_failure_gives_its_last_words(command: str, reason: str) -> None:
    with pytest.raises(DeviceError, match=f"cannot tell what this machine has: {reason}"):
        ask_pytorch(command, str)


def test_what_is_no_answer_is_said_to_be_none() -> None:
    with pytest.raises(DeviceError, match="does not answer"):
        ask_pytorch("print('welcome'); print(1)", int)


def test_the_project_is_found_from_anywhere_without_the_directory_it_is_asked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    assert estimate_engine_bytes(EngineConfig(device="cpu", dtype="float32"), {}) == {}


@pytest.mark.parametrize("sizes", [{}, {"tiny": TINY}])
def test_device_that_is_not_there_is_named(sizes: dict[str, Dimensions]) -> None:
    with pytest.raises(DeviceError, match="device 'cuda:99' was asked for"):
        estimate_engine_bytes(EngineConfig(device="cuda:99"), sizes)
