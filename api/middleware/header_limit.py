"""How large a request's headers may be."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse

# uvicorn closes the connection at that many bytes, unless it has read more of them at once.
MAX_HEADER_BYTES = 16 * 1024


class HeaderLimit:
    """Middleware: 431 for a request line with headers of more than `MAX_HEADER_BYTES`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        target = len(scope["path"]) + len(scope["query_string"])
        size = target + sum(len(name) + len(value) for name, value in scope["headers"])
        if size <= MAX_HEADER_BYTES:
            await self.app(scope, receive, send)
            return
        message = (
            f"The request's headers and URL are too large: their limit is {MAX_HEADER_BYTES} bytes."
        )
        await ErrorResponse(ApiError(message, status=431))(scope, receive, send)
