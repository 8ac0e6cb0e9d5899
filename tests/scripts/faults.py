"""Transcribers without a model that are sound, or have faults that a proof under load must find."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from typing import BinaryIO

from api.app import create_app
from api.errors import ApiError
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.settings import Settings
from models.audio.load.load_audio import load
from models.errors import OverloadedError
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from tests.api.fake import FakeTranscriber, segment, served
from tests.server import listening

# A request's work.
_SECONDS = 0.1
_LEAK = 8 * 1024 * 1024


@dataclass
class Sound(FakeTranscriber):
    """Says how many samples a recording has, two at once; refuses every tenth for a second."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    count: int = 0

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """A text that hardly another recording has."""
        self.count += 1
        self.admit()
        text = await self.text(audio)
        async with self.slots:
            await asyncio.sleep(_SECONDS)
        spoken = segment(0, 0.0, 1.0, text)
        if on_segment:
            on_segment(spoken)
        return Transcript(options.task, "en", 1.0, (spoken,))

    def admit(self) -> None:
        """Raise what refuses a request."""
        if self.count % 10 == 0:
            raise OverloadedError("The queue is full.", 1)

    async def text(self, audio: BinaryIO) -> str:
        """What is said."""
        return f" I have heard {len(await asyncio.to_thread(load, audio))} samples."


@dataclass
class Unsound(Sound):
    """Leaks, fails, mishears, and takes for speech whatever it gets."""

    leaked: list[mmap] = field(default_factory=list)

    def admit(self) -> None:
        """Nobody is refused, but some fail."""
        # Of the system, not of the heap: what earlier tests have left there would hide it.
        taken = mmap(-1, _LEAK, flags=MAP_PRIVATE | MAP_ANONYMOUS)
        taken.write(b"x" * _LEAK)
        self.leaked.append(taken)
        if self.count > 20 and self.count % 10 == 0:
            raise RuntimeError("a fault")

    async def text(self, audio: BinaryIO) -> str:
        """Another text from time to time."""
        return f" I have heard {len(audio.read())} bytes, {self.count // 20}."


class Bounded(Sound):
    """Lets nobody wait."""

    def admit(self) -> None:
        """Whoever comes when the slots are taken is told to come again."""
        if self.slots.locked():
            self.refuse()

    def refuse(self) -> None:
        """Raise the refusal."""
        raise OverloadedError("The queue is full.", 1)


class Curt(Bounded):
    """Refuses and does not say when to come again."""

    def refuse(self) -> None:
        """Raise the refusal."""
        raise ApiError("The queue is full.", status=503)


class Patient(Sound):
    """Lets everybody wait."""

    def admit(self) -> None:
        """Nobody is refused."""


@contextmanager
def serving(transcriber: Sound) -> Iterator[str]:
    """The address of our app with it."""
    app = create_app("of the tests")
    app.state.registry = served("base", transcriber=transcriber)
    with listening(MiddlewareStack(app, Settings(), Drain(0))) as url:
        yield url
