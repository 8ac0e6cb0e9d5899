"""The end of serving: what runs may finish for a time, what comes is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse, error_body, note_failure, retry_after

# How long who is refused may take to hear it.
REFUSAL_SECONDS = 2.0
# By then another server has taken over.
RETRY_SECONDS = 5
# Asked of a server that is ending as well: to watch it is not to give it work.
WATCHED = ("/livez", "/healthz", "/metrics")


class Drain:
    """Whether the server is ending, and what still runs; of one event loop.

    What runs when it begins has `seconds` to finish.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end: float | None = None
        self._running: set[asyncio.Timeout] = set()
        self._idle = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """Whether new work is refused."""
        return self._end is not None

    def begin(self) -> None:
        """Refuse new work from now on; to begin again changes nothing."""
        if self._end is None:
            self._end = asyncio.get_running_loop().time() + self.seconds
            for limit in self._running:
                limit.reschedule(self._end)

    async def done(self) -> None:
        """Return when nothing runs any more, which a moment after the end is taken for granted."""
        if not self._running:
            return
        self._idle.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), self.seconds + REFUSAL_SECONDS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Timeout]:
        """Count the block as work.

        Raises:
            TimeoutError: the block did not finish in the time it had.
        """
        async with asyncio.timeout(None) as limit:
            self._running.add(limit)
            try:
                yield limit
            finally:
                self._running.discard(limit)
                if not self._running:
                    self._idle.set()


class Draining:
    """Middleware: once the server is ending, requests get 503, and so does what does not finish.

    An event stream gets the error as its last event. Connections are closed after the answer.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app, self.drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        answer = _Answer(send, self.drain)
        if self.drain.has_begun and scope["path"] not in WATCHED:
            await _refuse(scope, receive, answer)
            return
        try:
            async with self.drain.running() as limit:
                await self.app(scope, receive, answer.send)
        except TimeoutError:
            if not limit.expired():
                raise
            await _refuse(scope, receive, answer)


class _Answer:
    """What has been sent of an answer."""

    def __init__(self, send: Send, drain: Drain) -> None:
        self._send, self._drain = send, drain
        self.has_begun = self.is_stream = self.is_whole = False

    async def send(self, message: Message) -> None:
        """Pass it on."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            media_type = Headers(raw=message["headers"]).get("content-type", "")
            self.is_stream = media_type.startswith("text/event-stream")
            if self._drain.has_begun:
                MutableHeaders(scope=message)["connection"] = "close"
        else:
            self.is_whole = not message.get("more_body", False)
        await self._send(message)


async def _refuse(scope: Scope, receive: Receive, answer: _Answer) -> None:
    headers = {**retry_after(RETRY_SECONDS), "connection": "close"}
    message = "The server is shutting down. Send the request again."
    error = ApiError(message, status=503, code="shutting_down", headers=headers)
    with suppress(TimeoutError):
        async with asyncio.timeout(REFUSAL_SECONDS):
            if not answer.has_begun:
                await ErrorResponse(error)(scope, receive, answer.send)
            elif answer.is_stream and not answer.is_whole:
                note_failure(scope, error)
                event = b"data: " + error_body(error).model_dump_json().encode() + b"\n\n"
                await answer.send({"type": "http.response.body", "body": event})
