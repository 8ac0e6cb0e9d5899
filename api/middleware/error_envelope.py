"""Error envelope for the plain-text errors of BentoML and Starlette."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError
from api.response_state import pass_replacing

_OF_THE_BODY = ("content-length", "content-type")


class ErrorEnvelope:
    """Middleware: an error in plain text gets the envelope; status and headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        def error_for(start: Message) -> ApiError | None:
            headers = Headers(raw=start.get("headers", []))
            is_plain = headers.get("content-type", "").startswith("text/plain")
            if start["status"] < HTTPStatus.BAD_REQUEST or not is_plain:
                return None
            message = f"{HTTPStatus(start['status']).phrase}: {scope['method']} {scope['path']}"
            kept = {name: value for name, value in headers.items() if name not in _OF_THE_BODY}
            return ApiError(message, status=start["status"], headers=kept)

        await pass_replacing(self.app, scope, receive, send, error_for)
