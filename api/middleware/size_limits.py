"""Size limits of a request: its headers (431) and its body (413)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError
from api.middleware.guard import Guard, pass_checked
from api.request_context import context_of

# uvicorn closes the connection at that many bytes, unless it has read more of them at once.
MAX_HEADER_BYTES = 16 * 1024


class HeaderLimit(Guard):
    """Middleware: 431 for a request line with headers of more than `MAX_HEADER_BYTES`."""

    def refusal(self, scope: Scope) -> ApiError | None:
        """431 for too many bytes."""
        target = len(scope["path"]) + len(scope["query_string"])
        size = target + sum(len(name) + len(value) for name, value in scope["headers"])
        if size <= MAX_HEADER_BYTES:
            return None
        message = (
            f"The request's headers and URL are too large: their limit is {MAX_HEADER_BYTES} bytes."
        )
        return ApiError(message, status=431)


class UploadLimit(Guard):
    """Middleware: 413 for a body of more than `maximum` bytes; 0 lets any pass.

    A dialect may have another limit for what it is asked. The announced length is enough to refuse;
    a body without one is counted.
    """

    def __init__(self, app: ASGIApp, maximum: int) -> None:
        super().__init__(self._count)
        self.counted, self.maximum = app, maximum

    def refusal(self, scope: Scope) -> ApiError | None:
        """413 for a length that is too large."""
        length, limit = Headers(scope=scope).get("content-length", ""), self._limit(scope)
        if not limit or not length.isdecimal() or int(length) <= limit:
            return None
        return _too_large(int(length), limit)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        read, limit = 0, self._limit(scope)

        def count(message: Message) -> None:
            nonlocal read
            read += len(message.get("body", b""))
            if read > limit:
                raise _too_large(read, limit)

        if limit:
            await pass_checked(self.counted, scope, receive, send, count)
        else:
            await self.counted(scope, receive, send)

    def _limit(self, scope: Scope) -> int:
        return context_of(scope).dialect.body_limit(scope, self.maximum)


def _too_large(size: int, limit: int) -> ApiError:
    message = (
        f"The request is too large: its limit is {limit} bytes, and it has at least "
        f"{size}. Send a compressed format, or a part of the recording."
    )
    return ApiError(message, status=413)
