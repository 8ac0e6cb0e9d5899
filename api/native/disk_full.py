"""BentoML's endpoints where the disk has no room for an upload: what the OpenAI app answers."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorResponse
from api.forms.read_form import no_room

_REACHED = "native_reached"


def note_native_reached(request: Request) -> None:
    """BentoML has read the whole request, and its endpoint runs."""
    request.scope.setdefault("state", {})[_REACHED] = True


class DiskFull:
    """Middleware: 503 for a request with a sound body that BentoML could not read.

    To it, that it cannot keep an upload is a fault like any other, and the answer a 500.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        state = scope.setdefault("state", {})
        gone = failed = False

        async def watched_receive() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or message["type"] == "http.disconnect"
            return message

        async def shaping_send(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                is_fault = message["status"] == HTTPStatus.INTERNAL_SERVER_ERROR
                failed = is_fault and not gone and _REACHED not in state
            if not failed:
                await send(message)

        await self.app(scope, watched_receive, shaping_send)
        if failed:
            await ErrorResponse(no_room())(scope, receive, send)
