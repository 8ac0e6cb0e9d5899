"""Sessions that are spoken to, and a recognizer that says what a script has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.live.events import Completed, Delta, LiveEvent, OpenText
from models.live.live_options import AudioFormat, LiveOptions, ServerVad
from models.live.live_session import LiveSession
from models.live.recognizer import Recognizer
from models.options import TranscribeOptions, VoiceOptions
from models.request_stats import RequestStats
from models.text.transcript import Segment, TokenScore, Transcript
from models.transcription.live_window import LiveText, LiveWindow
from tests.speech_clips import jfk

PCM = AudioFormat("pcm16", 16_000)
ENGLISH = TranscribeOptions(language="en")
STAMP = 50_364


def pcm(samples: Samples) -> bytes:
    """Samples as they are appended."""
    return (samples * 32_768).clip(-32_768, 32_767).astype("<i2").tobytes()


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.float32)


def said(start: float = 0.0, end: float = 11.0) -> Samples:
    """A part of the 11 s clip, where people speak from 0.3 s on and pause at 2.3 s."""
    return load(jfk().path)[round(start * 16_000) : round(end * 16_000)]


def options(**changes: object) -> LiveOptions:
    values = {"model": "m", "format": PCM, "transcription": ENGLISH, **changes}
    return LiveOptions(**values)  # type: ignore[arg-type]


MANUAL = options(turn_detection=None)
ONE_TURN = options(turn_detection=ServerVad(VoiceOptions(silence_duration_ms=2000)))


@dataclass
class Script:
    """Says a word for each half second of a window; `delay` is what they take, by number.

    A permit of `begun` is there for each that has begun.

    `transcribed` are the samples of whole turns, `windows` those of others, and `stats` where each
    was to note what it took.
    """

    word: str = " word"
    delay: Callable[[int], Awaitable[object]] = lambda _: asyncio.sleep(0)
    failure: Exception | None = None
    transcribed: list[Samples] = field(default_factory=list)
    windows: list[LiveWindow] = field(default_factory=list)
    stats: list[RequestStats | None] = field(default_factory=list)
    cancelled: int = 0
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def decode_live(self, live: LiveWindow, stats: RequestStats | None = None) -> LiveText:
        self.windows.append(live)
        self.stats.append(stats)
        await self._take(len(self.windows) - 1)
        prefix = live.prefix.tokens
        more = max(0, round(live.speech_seconds * 2) - max(0, len(prefix) - 1))
        kept = prefix if prefix[:1] == (STAMP,) else (STAMP, *prefix)
        tokens = (*kept, *range(len(kept), len(kept) + more))
        spoken = TokenScore(self.word.encode(), -0.1)
        return LiveText(
            language=live.language or "en",
            tokens=tokens,
            logprobs=(-0.1,) * len(tokens),
            scores=(None, *[spoken] * (len(tokens) - 1)),
            starts=tuple(0.5 * n for n in range(len(tokens))) if len(tokens) > 1 else (),
            end=len(live.samples) / 16_000,
            is_loop=False,
        )

    async def transcribe_samples(
        self, samples: Samples, options: TranscribeOptions, stats: RequestStats | None = None
    ) -> Transcript:
        self.transcribed.append(samples)
        self.stats.append(stats)
        await self._take(len(self.transcribed) - 1)
        segment = Segment(0, 0, 0.0, 1.0, self.word, (1,), 0.0, -0.1, 1.0, 0.0)
        return Transcript("transcribe", "en", len(samples) / 16_000, (segment,))

    async def _take(self, number: int) -> None:
        self.begun.release()
        try:
            await self.delay(number)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure:
            raise self.failure


class Models:
    """Models by name, each loaded at once; `uses` are the names asked for, `users` who has one."""

    def __init__(self, **models: Recognizer) -> None:
        self._models = models
        self.uses: list[str] = []
        self.users = 0

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Recognizer]:
        self.uses.append(name)
        self.users += 1
        try:
            yield self._models[name]
        finally:
            self.users -= 1


def _is_busy(session: LiveSession) -> bool:
    """True while there is sound to hear, or a text to come without any more sound."""
    running = session._turns.running  # noqa: SLF001
    is_decoding = any(task._decoding or task.turn.is_committed for task in running)  # noqa: SLF001
    return session.has_batch or is_decoding


class Speaker:
    """A session whose clock is its sound: the engine seems to take no time.

    Unless somebody does not wait for it.
    """

    def __init__(self, models: Models, live: LiveOptions) -> None:
        self.models = models
        self.session = LiveSession(models, live, clock=lambda: self.session.seconds)
        self.events: list[LiveEvent] = []
        self.opened: list[OpenText] = []
        self._reading = asyncio.create_task(self._read())

    async def say(self, *sounds: Samples, seconds: float = 0.1, waits: bool = True) -> None:
        """Append sound in pieces; if it `waits`, all that can be heard of each is."""
        audio = pcm(np.concatenate(sounds))
        size = round(seconds * 32_000)
        for start in range(0, len(audio), size):
            await self.append(audio[start : start + size], waits=waits)

    async def append(self, audio: bytes, *, waits: bool = True) -> None:
        self.session.append(audio)
        await self.session.room()
        while waits and _is_busy(self.session):  # noqa: ASYNC110 - threads set no event
            await asyncio.sleep(0.001)

    async def quiet(self) -> None:
        """Return when no more text is to come."""
        while _is_busy(self.session):  # noqa: ASYNC110 - threads set no event
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)

    async def finish(self) -> list[LiveEvent]:
        """All events, once all turns are completed."""
        await self.session.finish()
        await self._reading
        return self.events

    async def _read(self) -> None:
        async for event in self.session.events():
            if isinstance(event, OpenText):
                self.opened.append(event)
            else:
                self.events.append(event)


@asynccontextmanager
async def speaker(models: Models, live: LiveOptions | None = None) -> AsyncIterator[Speaker]:
    """A speaker who hangs up at the end."""
    speaking = Speaker(models, live or options(turn_detection=ServerVad()))
    try:
        yield speaking
    finally:
        with suppress(asyncio.CancelledError):
            await speaking.session.aclose()


def run(work: Coroutine[Any, Any, None]) -> None:
    """A conversation, which hangs at most so long."""
    asyncio.run(asyncio.wait_for(work, 120))


def names(events: list[LiveEvent]) -> list[str]:
    """What events are, one word each, with the turn behind it."""
    return [f"{type(event).__name__} {getattr(event, 'turn', '')}".strip() for event in events]


def completions(events: list[LiveEvent]) -> list[Completed]:
    return [event for event in events if isinstance(event, Completed)]


def deltas(events: list[LiveEvent], turn: int = 0) -> list[str]:
    return [event.text for event in events if isinstance(event, Delta) and event.turn == turn]


def is_the_file(completed: Completed, transcript: Transcript) -> None:
    """Assert that a turn has the text and tokens of a file, by an engine of one thread."""
    scores = [score for segment in transcript.segments for score in segment.scores]
    assert completed.transcript == transcript.text
    assert [each.data for each in completed.logprobs] == [score.data for score in scores]
    assert [each.logprob for each in completed.logprobs] == [score.logprob for score in scores]
