"""Response state: how far an answer has come, for middleware that may still change it."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_response import ErrorResponse
from api.errors import ApiError

START = "http.response.start"
BODY = "http.response.body"
# An answer to the handshake of a WebSocket: yes, or no with a response of HTTP.
ACCEPT = "websocket.accept"
_STARTS = (START, ACCEPT, "websocket.http.response.start")
_BODIES = (BODY, "websocket.http.response.body")
OnStart = Callable[[MutableHeaders], None]


class ResponseState:
    """An ASGI `send` that remembers what has gone through it.

    `on_start` is called with the headers of the answer, which it may change, before they go out.
    `ended` is when the last of the body went out, in `time.monotonic`; `is_stream` is true of
    server-sent events. Of a WebSocket it sees the answer to the handshake; accepted, that is a 101.
    """

    def __init__(self, send: Send, on_start: OnStart | None = None) -> None:
        self._send, self._on_start = send, on_start
        self.status: int | None = None
        self.ended: float | None = None
        self.is_stream = False

    @property
    def has_begun(self) -> bool:
        """True if there can be no other answer any more."""
        return self.status is not None

    async def send(self, message: Message) -> None:
        """Note a message and pass it on."""
        if message["type"] in _STARTS:
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            self.status = message.get("status", HTTPStatus.SWITCHING_PROTOCOLS)
            self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
            if self._on_start:
                self._on_start(headers)
        elif message["type"] in _BODIES and not message.get("more_body", False):
            self.ended = time.monotonic()
        await self._send(message)

    async def refuse(self, error: ApiError, scope: Scope, receive: Receive) -> None:
        """Answer with the error, unless an answer has begun."""
        if not self.has_begun:
            await ErrorResponse(error)(scope, receive, self.send)


async def pass_replacing(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    error_for: Callable[[Message], ApiError | None],
) -> None:
    """Pass a request on; the error that `error_for` has for an answer's start replaces it."""
    error: ApiError | None = None

    async def replacing_send(message: Message) -> None:
        nonlocal error
        if message["type"] == START:
            error = error_for(message)
        if error is None:
            await send(message)

    await app(scope, receive, replacing_send)
    if error is not None:
        await ErrorResponse(error)(scope, receive, send)
