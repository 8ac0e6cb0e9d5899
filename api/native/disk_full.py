"""Disk full: BentoML's endpoints answer it as the OpenAI app does."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError
from api.forms.read_form import no_room
from api.request_context import context_of
from api.response_state import pass_replacing


class DiskFull:
    """Middleware: 503 for a request with a sound body that BentoML could not read.

    To it, that it cannot keep an upload is a fault like any other, and the answer a 500.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        context, gone = context_of(scope), False

        async def watched_receive() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or message["type"] == "http.disconnect"
            return message

        def error_for(start: Message) -> ApiError | None:
            is_fault = start["status"] == HTTPStatus.INTERNAL_SERVER_ERROR
            return no_room() if is_fault and not gone and not context.native_reached else None

        await pass_replacing(self.app, scope, watched_receive, send, error_for)
