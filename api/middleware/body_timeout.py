"""How slowly a request's body may come."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse

WINDOW_SECONDS = 30.0
WINDOW_BYTES = 8 * 1024


class BodyTimeout:
    """Middleware: 408 for a body of which `least` bytes, or its end, do not come in `seconds`.

    Only the time that is spent waiting counts, so that a busy server does not blame its clients.
    """

    def __init__(
        self, app: ASGIApp, seconds: float = WINDOW_SECONDS, minimum: int = WINDOW_BYTES
    ) -> None:
        self.app, self.seconds, self.minimum = app, seconds, minimum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as long as its body comes."""
        started = whole = False
        came, waited = 0, 0.0
        time = asyncio.get_running_loop().time

        async def paced_receive() -> Message:
            nonlocal whole, came, waited
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

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(None) as limit:
                await self.app(scope, paced_receive, watched_send)
        except TimeoutError:
            if not limit.expired():
                raise
            if not started:
                await ErrorResponse(self._too_slow())(scope, receive, send)

    def _too_slow(self) -> ApiError:
        message = (
            f"The request's body came too slowly: fewer than {self.minimum} bytes in "
            f"{self.seconds:g} seconds."
        )
        return ApiError(message, status=408, code="timeout")
