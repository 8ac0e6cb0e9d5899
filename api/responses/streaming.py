"""Server-sent events of a transcription: text as it becomes final, then all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors import ApiError, error_body, known_or_internal
from api.request_context import context_of
from api.responses.formats import flags_of
from api.responses.logprobs import Logprobs, logprobs
from api.schemas import TranscriptTextDelta, TranscriptTextDone
from models.text.transcript import Segment, Transcript

# Proxies close what is silent for a minute; OpenAI's Python SDK starts its timeout anew.
KEEP_ALIVE_SECONDS = 10.0
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
    """The segments of a transcription so far; `add` is called with each one."""

    def __init__(self) -> None:
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
        """The segments, with None where nothing has come for long."""
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    segment = await self._segments.get()
            except TimeoutError:
                yield None
                continue
            if segment is None:
                return
            yield segment


class EventStream(Response):
    """OpenAI's stream of a transcription under way.

    `held` is closed when the stream has ended, also by being cancelled; it must cancel the work.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        work: asyncio.Task[Transcript],
        progress: Progress,
        held: AsyncExitStack,
        *,
        with_logprobs: bool = False,
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._work, self._progress, self._held = work, progress, held
        self._with_logprobs = with_logprobs
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
        async for segment in self._progress:
            if segment is None:
                yield _KEEP_ALIVE
            elif delta := deltas.of(segment.text):
                scores = tokens.of(segment) if self._with_logprobs else None
                yield _event_of(TranscriptTextDelta(delta=delta, logprobs=scores))
        if error := self._work.exception():
            self._failure = known_or_internal(error, "A stream")
            yield _event(error_body(self._failure).model_dump_json())
            return
        # In a thread: of hours of speech it has megabytes.
        yield await asyncio.to_thread(self._done, self._work.result())
        yield _END

    def _done(self, transcript: Transcript) -> bytes:
        scores = logprobs(transcript.segments) if self._with_logprobs else None
        flags = flags_of(transcript) or None
        return _event_of(TranscriptTextDone(text=transcript.text, logprobs=scores, flags=flags))


def _event_of(body: BaseModel) -> bytes:
    return _event(body.model_dump_json())


def _event(data: str) -> bytes:
    return b"data: " + data.encode() + b"\n\n"
