"""A recording, and servers that last as long as a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.comparison.scripted import (
    ScriptedServer,
    answers,
)
from tests.server import listening


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "Interview with Ada.flac"
    file.write_bytes(b"fLaC and so on")
    return file


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def faultless(stack: ExitStack) -> str:
    """The address of a server without a fault."""
    return stack.enter_context(listening(ScriptedServer(answers())))
