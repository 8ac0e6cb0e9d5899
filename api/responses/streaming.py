"""Server-sent events of a transcription: text as it becomes final, then all of it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors import ApiError, error_body, known_or_internal
from api.forms.parameters import Granularity, Include
from api.request_context import context_of
from api.responses.formats import flags_of, verbose
from api.responses.logprobs import Logprobs, logprobs
from api.responses.progress_events import WorkProgress
from api.responses.segment_events import segment_event
from api.responses.usage import token_usage
from api.stream_schemas import (
    TranscriptionPeaks,
    TranscriptionVerboseJson,
    TranscriptTextDelta,
    TranscriptTextDone,
)
from models.audio.peaks import PER_SECOND, Peaks
from models.request_stats import RequestStats
from models.text.transcript import Segment, Transcript

# Proxies close what is silent for a minute; OpenAI's Python SDK starts its timeout anew.
KEEP_ALIVE_SECONDS = 10.0
# What who asks for progress is told it by.
PROGRESS_SECONDS = 1.0
# An error of the file shows at once, and is then answered with its own status.
GRACE_SECONDS = 1.0

_KEEP_ALIVE = b": keep-alive\n\n"
_END = b"data: [DONE]\n\n"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Deltas:
    """The parts of a text, so that they join to it: without the spaces at its ends."""

    def __init__(self) -> None:
        self._held: str | None = None

    def of(self, text: str) -> str:
        """The part to send when this text follows; spaces at the end wait for more."""
        text = text.lstrip() if self._held is None else self._held + text
        if not text:
            return ""
        shown = text.rstrip()
        self._held = text[len(shown) :]
        return shown


class Progress:
    """The segments of a transcription so far; `add` is called with each one.

    Read, they are told apart by None: every so many seconds or, if not told, in long silences.
    """

    def __init__(self, every: float | None = None) -> None:
        self._every = every
        self._segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        self._begun = asyncio.Event()

    def add(self, segment: Segment) -> None:
        """Note a segment."""
        self._segments.put_nowait(segment)
        self._begun.set()

    def end(self, _: object) -> None:
        """Note that there will be no more."""
        self._segments.put_nowait(None)
        self._begun.set()

    async def begun(self) -> None:
        """Return when there is something, at the latest after the grace time."""
        with suppress(TimeoutError):
            # Not `wait_for`, which may lose a cancellation in Python 3.11.
            async with asyncio.timeout(GRACE_SECONDS):
                await self._begun.wait()

    async def __aiter__(self) -> AsyncIterator[Segment | None]:
        """The segments, and None where it is due."""
        time, pause = asyncio.get_running_loop().time, self._every or KEEP_ALIVE_SECONDS
        due = time() + pause
        while True:
            try:
                async with asyncio.timeout_at(due):
                    segment = await self._segments.get()
            except TimeoutError:
                due = time() + pause
                yield None
                continue
            if segment is None:
                return
            yield segment
            if self._every is None:
                due = time() + pause
            elif time() >= due:
                due = time() + pause
                yield None


@dataclass(frozen=True)
class ShownWhole:
    """What verbose_json has, where a stream ends with it."""

    granularities: Sequence[Granularity] = ()
    include: Collection[Include] = ()


@dataclass(frozen=True)
class Shown:
    """What a stream shows beside the text."""

    logprobs: bool = False
    segments: bool = False
    whole: ShownWhole | None = None
    progress: WorkProgress | None = None
    peaks: Peaks | None = None


class EventStream(Response):
    """OpenAI's stream of a transcription under way.

    `held` is closed when the stream has ended, also by being cancelled; it must cancel the work,
    which counts its tokens in `stats`. What is `shown` beside the text was asked for.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        work: asyncio.Task[Transcript],
        progress: Progress,
        held: AsyncExitStack,
        stats: RequestStats,
        shown: Shown,
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._work, self._progress, self._held = work, progress, held
        self._stats = stats
        self._shown = shown
        self._failure: ApiError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come."""
        async with self._held:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            async for event in self._events():
                await send({"type": "http.response.body", "body": event, "more_body": True})
            if self._failure:
                context_of(scope).failure = self._failure
            await send({"type": "http.response.body", "body": b""})

    async def _events(self) -> AsyncIterator[bytes]:
        deltas, tokens = Deltas(), Logprobs()
        if self._shown.progress:
            yield self._pause()
        async for segment in self._progress:
            if segment is None:
                yield self._pause()
            elif delta := deltas.of(segment.text):
                scores = tokens.of(segment) if self._shown.logprobs else None
                yield _event_of(TranscriptTextDelta(delta=delta, logprobs=scores))
                if self._shown.segments:
                    yield _event_of(segment_event(segment, self._stats.audio_seconds))
        if error := self._work.exception():
            self._failure = known_or_internal(error, "A stream")
            yield _event(error_body(self._failure).model_dump_json())
            return
        if self._shown.peaks:
            yield await asyncio.to_thread(_peaks, self._shown.peaks)
        # In threads: of hours of speech they have megabytes.
        if self._shown.whole:
            yield await asyncio.to_thread(_whole, self._work.result(), self._shown.whole)
        yield await asyncio.to_thread(self._done, self._work.result())
        yield _END

    def _pause(self) -> bytes:
        progress = self._shown.progress
        return _event_of(progress.event()) if progress else _KEEP_ALIVE

    def _done(self, transcript: Transcript) -> bytes:
        scores = logprobs(transcript.segments) if self._shown.logprobs else None
        done = TranscriptTextDone(
            text=transcript.text,
            logprobs=scores,
            usage=token_usage(transcript, self._stats),
            flags=flags_of(transcript) or None,
        )
        return _event_of(done)


def _peaks(peaks: Peaks) -> bytes:
    data = base64.b64encode(peaks.to_bytes()).decode()
    return _event_of(TranscriptionPeaks(per_second=PER_SECOND, data=data))


def _whole(transcript: Transcript, shown: ShownWhole) -> bytes:
    told = verbose(transcript, shown.granularities, shown.include)
    return _event_of(TranscriptionVerboseJson(transcript=told))


def _event_of(body: BaseModel) -> bytes:
    return _event(body.model_dump_json())


def _event(data: str) -> bytes:
    return b"data: " + data.encode() + b"\n\n"
