"""How large a request's body may be."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse
from api.middleware.body_guard import pass_checked


class UploadLimit:
    """Middleware: 413 for a body of more than `most` bytes; 0 lets any pass.

    The announced length is enough to refuse; what comes without one is counted.
    """

    def __init__(self, app: ASGIApp, maximum: int) -> None:
        self.app = app
        self.maximum = maximum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if not self.maximum:
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self.maximum:
            await ErrorResponse(self._too_large(int(length)))(scope, receive, send)
            return
        await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        def count(message: Message) -> None:
            nonlocal read
            read += len(message.get("body", b""))
            if read > self.maximum:
                raise self._too_large(read)

        await pass_checked(self.app, scope, receive, send, count)

    def _too_large(self, size: int) -> ApiError:
        message = (
            f"The request is too large: its limit is {self.maximum} bytes, and it has at least "
            f"{size}. Send a compressed format, or a part of the recording."
        )
        return ApiError(message, status=413)
