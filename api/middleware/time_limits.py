"""Time limits: until the answer begins (504), and of a body that comes slowly (408)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError
from api.response_state import ResponseState

WINDOW_SECONDS = 30.0
WINDOW_BYTES = 8 * 1024


async def in_time(limit: asyncio.Timeout, work: Awaitable[None]) -> bool:
    """True if the work is done within the limit; a `TimeoutError` of its own is raised."""
    try:
        async with limit:
            await work
    except TimeoutError:
        if not limit.expired():
            raise
        return False
    return True


def too_late(seconds: float) -> ApiError:
    """The error of a request that took longer than it may."""
    message = f"The request took longer than {seconds} seconds and was given up."
    # OpenAI's SDKs would send it again, to take as long once more.
    headers = {"x-should-retry": "false"}
    return ApiError(message, status=504, code="timeout", headers=headers)


class Deadline:
    """Middleware: cancels what has not begun to answer after `seconds`, and answers 504."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an answer that has begun may take as long as it takes."""
        limit = asyncio.timeout(self.seconds)

        def lift(_: object) -> None:
            if not limit.expired():
                limit.reschedule(None)

        answer = ResponseState(send, on_start=lift)
        if not await in_time(limit, self.app(scope, receive, answer.send)):
            await answer.refuse(too_late(self.seconds), scope, receive)


class BodyTimeout:
    """Middleware: 408 for a body of which `minimum` bytes, or its end, do not come in `seconds`.

    Only the time that is spent waiting counts, so that a busy server does not blame its clients.
    """

    def __init__(
        self, app: ASGIApp, seconds: float = WINDOW_SECONDS, minimum: int = WINDOW_BYTES
    ) -> None:
        self.app, self.seconds, self.minimum = app, seconds, minimum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as long as its body comes."""
        answer, limit = ResponseState(send), asyncio.timeout(None)
        came, waited, whole = 0, 0.0, False
        time = asyncio.get_running_loop().time

        async def timed_receive() -> Message:
            nonlocal came, waited, whole
            if whole:
                return await receive()
            began = time()
            limit.reschedule(began + self.seconds - waited)
            message = await receive()
            limit.reschedule(None)
            whole = not message.get("more_body", False)
            came, waited = came + len(message.get("body", b"")), waited + time() - began
            if came >= self.minimum:
                came, waited = 0, 0.0
            return message

        if not await in_time(limit, self.app(scope, timed_receive, answer.send)):
            await answer.refuse(self._too_slow(), scope, receive)

    def _too_slow(self) -> ApiError:
        message = (
            f"The request's body came too slowly: fewer than {self.minimum} bytes in "
            f"{self.seconds:g} seconds."
        )
        return ApiError(message, status=408, code="timeout")
