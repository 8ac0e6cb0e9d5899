"""The client in this process, and recordings to give it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from client.__main__ import main
from tests.client.serving import without_progress

# Exit status, output and errors.
Ran = tuple[int, str, str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the client; what is named is its environment."""

    def run_client(*arguments: str | Path, **environ: str) -> Ran:
        status = main([str(each) for each in arguments], environ)
        captured = capsys.readouterr()
        return status, captured.out, without_progress(captured.err)

    return run_client


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A file that a server takes for a recording."""
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"sound")
    return path
