"""Draining: at the end of serving new requests are refused, and running ones may finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError, error_body, retry_after
from api.request_context import context_of
from api.response_state import BODY, ResponseState

# How long a client may take to read its refusal.
REFUSAL_SECONDS = 2.0
# By then another server has taken over.
RETRY_SECONDS = 5
# Answered while the server is ending, too: to monitor it is not to give it work.
WATCHED = ("/livez", "/healthz", "/metrics")


class Drain:
    """The end of serving, and the requests that still run; of one event loop.

    Those that run when it begins have `seconds` to finish.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end: float | None = None
        self._running: set[asyncio.Timeout] = set()
        self._idle, self._begun = asyncio.Event(), asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """True if new work is refused."""
        return self._end is not None

    def begin(self) -> None:
        """Refuse new work from now on; to begin again changes nothing."""
        if self._end is None:
            self._end = asyncio.get_running_loop().time() + self.seconds
            self._begun.set()
            for limit in self._running:
                limit.reschedule(self._end)

    async def begins(self) -> None:
        """Return when new work is refused, for work without an end of its own."""
        await self._begun.wait()

    async def done(self) -> None:
        """Return when nothing runs any more, at the latest a moment after the end."""
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
    """Middleware: 503 for new requests once the server is ending, and for those past its end.

    An event stream gets the error as its last event. Connections are closed after the answer.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app, self.drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        answer = ResponseState(send, self._close)
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

    def _close(self, headers: MutableHeaders) -> None:
        if self.drain.has_begun:
            headers["connection"] = "close"


def shutting_down() -> ApiError:
    """The refusal of new work, and of what is not done in time."""
    headers = {**retry_after(RETRY_SECONDS), "connection": "close"}
    message = "The server is shutting down. Send the request again."
    return ApiError(message, status=503, code="shutting_down", headers=headers)


async def _refuse(scope: Scope, receive: Receive, answer: ResponseState) -> None:
    error = shutting_down()
    with suppress(TimeoutError):
        async with asyncio.timeout(REFUSAL_SECONDS):
            if answer.is_stream and answer.ended is None:
                context_of(scope).failure = error
                event = b"data: " + error_body(error).model_dump_json().encode() + b"\n\n"
                await answer.send({"type": BODY, "body": event})
            else:
                await answer.refuse(error, scope, receive)
