"""How long a request may take until its answer begins."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse


class Deadline:
    """Middleware: cancels what has not begun to answer after `seconds`, and answers 504."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an answer that has begun may take as long as it takes."""
        try:
            async with asyncio.timeout(self.seconds) as limit:

                async def begun(message: Message) -> None:
                    if limit.when() is not None and not limit.expired():
                        limit.reschedule(None)
                    await send(message)

                await self.app(scope, receive, begun)
        except TimeoutError:
            if not limit.expired():
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = f"The request took longer than {self.seconds} seconds and was given up."
        # OpenAI's SDKs would send it again, to take as long once more.
        headers = {"x-should-retry": "false"}
        error = ApiError(message, status=504, code="timeout", headers=headers)
        await ErrorResponse(error)(scope, receive, send)
