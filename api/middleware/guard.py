"""Guard: base of middleware that refuses a request by its scope, before its body is read."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_response import ErrorResponse
from api.errors import ApiError


class Guard:
    """Middleware: an error for requests that have a `refusal`; a web socket is closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def refusal(self, scope: Scope) -> ApiError | None:
        """The error to answer with; None lets the request pass."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        error = self.refusal(scope)
        if error is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await ErrorResponse(error)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": error.message})
