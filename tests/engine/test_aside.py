"""PyTorch asked in a process of its own."""

from __future__ import annotations

import pytest

from models.catalogue import Dimensions
from models.engine.aside import ask_pytorch
from models.engine.config import EngineConfig
from models.engine.foresight import foresee
from models.errors import DeviceError
from tests.tiny import TINY


def test_what_is_printed_is_the_answer() -> None:
    assert ask_pytorch(["-c", "print(input()[::-1])"], "question\n") == "noitseuq\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("import sys; print('first', file=sys.stderr); sys.exit('no such library')", "no such lib"),
        ("import os; os.kill(os.getpid(), 9)", "status -9"),
    ],
)
def test_failure_gives_its_last_words(command: str, reason: str) -> None:
    with pytest.raises(DeviceError, match=f"cannot tell what this machine has: {reason}"):
        ask_pytorch(["-c", command])


@pytest.mark.parametrize("sizes", [{}, {"tiny": TINY}])
def test_device_that_is_not_there_is_named(sizes: dict[str, Dimensions]) -> None:
    with pytest.raises(DeviceError, match="device 'cuda:99' was asked for"):
        foresee(EngineConfig(device="cuda:99"), sizes)
