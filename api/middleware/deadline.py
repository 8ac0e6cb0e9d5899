"""Deadline of a request: the time until its answer begins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError
from api.response_state import ResponseState


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
            await answer.refuse(self._too_late(), scope, receive)

    def _too_late(self) -> ApiError:
        message = f"The request took longer than {self.seconds} seconds and was given up."
        # OpenAI's SDKs would send it again, to take as long once more.
        headers = {"x-should-retry": "false"}
        return ApiError(message, status=504, code="timeout", headers=headers)
