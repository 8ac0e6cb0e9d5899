"""A recording whose file is replaced while it is worked on."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from client.backend.events import Event, Finished, Progress
from client.backend.outcome import Outcome
from client.backend.request import Format, Recording, Request
from client.backend.transcript import Transcript
from client.batch import Batch, Work
from client.terminal.bars import Bars
from client.terminal.tally import Tally

REPLACED = "another text"


class Reading:
    """A backend whose text is the content of the file, which it replaces the first time."""

    def __init__(self) -> None:
        self._running = self.most = 0

    async def check(self, request: Request) -> None:
        """There is nothing to find out."""

    async def transcribe(
        self, recording: Recording, request: Request
    ) -> AsyncGenerator[Event, None]:
        """The text of the file when it began."""
        self._running += 1
        self.most = max(self.most, self._running)
        text = recording.path.read_text("utf-8")
        if text != REPLACED:
            recording.path.write_text(REPLACED, "utf-8")
        # Whatever else can begin does.
        for _ in range(99):
            await asyncio.sleep(0)
        yield Progress(position=0, done=1.0, total=2.0, seconds_left=None)
        self._running -= 1
        yield Finished(Transcript(f'{{"text": "{text}"}}'))

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The text."""
        return transcript.text


def outcomes(path: Path, formats: tuple[Format, ...]) -> tuple[list[Outcome], int]:
    """Those of a file that comes, and comes again; and how often it was worked on at once."""
    recording = Recording(path, path.name, Path(path.name))
    backend, ended, tally = Reading(), list[Outcome](), Tally()

    async def coming() -> AsyncIterator[Recording]:
        yield recording
        yield recording

    with Bars(io.StringIO(), tally) as display:
        work = Work(Request(), lambda _: {name: path.with_suffix(f".{name}") for name in formats})
        asyncio.run(Batch(backend, work, display, ended.append).run(coming()))
    return ended, backend.most


def test_it_is_worked_on_again_when_it_has_ended(tmp_path: Path) -> None:
    (path := tmp_path / "a.mp3").write_bytes(b"short")
    (first, second), most = outcomes(path, ("txt",))
    assert most == 1
    assert first.error == "the file was changed while it was transcribed"
    assert [first.status, second.status] == ["failed", "done"]
    assert path.with_suffix(".txt").read_text("utf-8") == REPLACED


def test_text_that_is_only_told_is_not_lost(tmp_path: Path) -> None:
    (path := tmp_path / "a.mp3").write_bytes(b"short")
    ended, most = outcomes(path, ())
    assert ([each.text for each in ended], most) == (["short", REPLACED], 1)
