"""A transcriber without a model, and an app that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from api.app import create_app
from api.dialects.enabled import enabled
from api.jobs.jobs import Jobs
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.requests.model_registry import ModelRegistry, ServedModel, Transcriber
from api.requests.request_limits import RequestLimits
from api.setting_values import DialectName
from api.settings import Settings
from models.audio_options import MIX, AudioTrack, ReadOptions
from models.capacity.admission import Admission
from models.engine.counters import EngineCounters, EngineState
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Segment, Transcript

CREATED = 1_700_000_000
TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
TRACK = AudioTrack(1, 2, "eng")
IDLE = EngineState("cpu", "float32", waiting=0, running=0, slots=8, counters=EngineCounters())


def segment(number: int, start: float, end: float, text: str) -> Segment:
    """A segment with scores that floats hold exactly."""
    return Segment(
        id=number,
        seek=0,
        start=start,
        end=end,
        text=text,
        tokens=(50364, 440, 50464),
        temperature=0.0,
        avg_logprob=-0.25,
        compression_ratio=1.5,
        no_speech_prob=0.125,
    )


SEGMENTS = (segment(0, 0.0, 2.0, " The naïve wind and"), segment(1, 2.0, 3.9, " the sun."))


@dataclass
class FakeTranscriber:
    """Gives the same segments for every recording and keeps what it was asked."""

    segments: tuple[Segment, ...] = SEGMENTS
    duration: float = 3.7
    language: str = "en"
    calls: list[tuple[bytes, TranscribeOptions]] = field(default_factory=list)
    track: AudioTrack = TRACK
    readings: list[ReadOptions] = field(default_factory=list)

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, with the task asked for."""
        self.calls.append((audio.read(), options))
        if stats:
            stats.opened(self.track)
            stats.audio_seconds = self.duration
            stats.tokens = sum(len(segment.tokens) for segment in self.segments)
        if on_segment:
            for segment in self.segments:
                await self.work(segment.id, stats)
                on_segment(segment)
        return Transcript(options.task, self.language, self.duration, self.segments)

    async def work(self, number: int, stats: RequestStats | None) -> None:
        """What is done for a segment: here nothing."""

    async def detect_language(
        self,
        audio: BinaryIO,
        among: Sequence[str] = (),
        stats: RequestStats | None = None,
        reading: ReadOptions = MIX,
    ) -> dict[str, float]:
        """Three to one for the first of these languages, by default English and German."""
        self.readings.append(reading)
        if stats:
            stats.opened(self.track)
            stats.audio_seconds = self.duration
        first, second, *_ = among or ("en", "de")
        return {first: 0.75, second: 0.25} if self.segments else {}

    def state(self) -> EngineState:
        """Idle."""
        return IDLE


@dataclass
class FailingTranscriber:
    """Raises `error` for every recording."""

    error: Exception

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """Never a transcript."""
        raise self.error

    async def detect_language(
        self,
        audio: BinaryIO,
        among: Sequence[str] = (),
        stats: RequestStats | None = None,
        reading: ReadOptions = MIX,
    ) -> dict[str, float]:
        """Never a language."""
        raise self.error

    def state(self) -> EngineState:
        """Idle."""
        return IDLE


@dataclass
class BreakingTranscriber(FakeTranscriber):
    """Gives its first segment, and fails."""

    error: Exception = field(default_factory=Exception)

    async def work(self, number: int, stats: RequestStats | None) -> None:
        """Fail at the second segment."""
        if number:
            await asyncio.sleep(0.1)
            raise self.error


class EndlessTranscriber(FakeTranscriber):
    """Works until it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """Never a transcript."""
        self.started.set()
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class FakePool(dict[str, Transcriber]):
    """Transcribers by name, and how many requests use them."""

    users = 0

    @property
    def loaded(self) -> Mapping[str, Transcriber]:
        """All of them."""
        return self

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Transcriber]:
        """The transcriber of that name."""
        self.users += 1
        try:
            yield self[name]
        finally:
            self.users -= 1


def served_by(
    transcribers: Mapping[str, Transcriber],
    admission: Admission | None = None,
    aliases: Mapping[str, str] | None = None,
) -> ModelRegistry:
    """Models on the CPU, each with a transcriber of its own."""
    models = [ServedModel(name, CREATED) for name in transcribers]
    queue = admission or Admission(3600, slots=8)
    return ModelRegistry(models, FakePool(transcribers), queue, aliases)


def served(
    *names: str,
    transcriber: Transcriber | None = None,
    admission: Admission | None = None,
    aliases: Mapping[str, str] | None = None,
) -> ModelRegistry:
    """Models on the CPU that share one transcriber."""
    return served_by(dict.fromkeys(names, transcriber or FakeTranscriber()), admission, aliases)


@cache
def _app(names: tuple[DialectName, ...]) -> FastAPI:
    """Made once, as it takes a tenth of a second: all that a client has of its own is the state."""
    return create_app("1.2.3", dialects=enabled(Settings(dialects=names)))


def edge(
    registry: ModelRegistry,
    settings: Settings | None = None,
    drain: Drain | None = None,
    jobs: Jobs | None = None,
) -> ASGIApp:
    """An app that serves these models, with all that is around it."""
    settings = settings or Settings()
    app = copy(_app(settings.dialects))
    app.state = State()
    app.state.registry, app.state.jobs = registry, jobs
    registry.limits = RequestLimits.of(settings)
    return MiddlewareStack(app, settings, drain or Drain(0), dialects=enabled(settings))


def client(
    transcriber: Transcriber | None = None, *names: str, settings: Settings | None = None
) -> TestClient:
    """A client of an app that serves `base`, or the models named."""
    return TestClient(edge(served(*(names or ("base",)), transcriber=transcriber), settings))
