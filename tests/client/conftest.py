"""The client in this process, and recordings to give it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.__main__ import main
from tests.client.job_serving import Held, held, jobs_api
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


@pytest.fixture
def transcriber() -> Iterator[Held]:
    """One that is held; let go at the end, as its thread would be waited for."""
    found = held()
    yield found
    found.released.set()


@pytest.fixture
def url(tmp_path: Path, transcriber: Held) -> Iterator[str]:
    """The address of a server with jobs."""
    with jobs_api(tmp_path / "jobs", transcriber) as address:
        yield address
        transcriber.released.set()
