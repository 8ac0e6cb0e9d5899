"""Malformed HTTP: the answer to bytes that no app is shown."""

from __future__ import annotations

import logging
from typing import cast

from h11 import IDLE, SEND_RESPONSE, Request
from starlette.responses import Response
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.error_response import ErrorResponse
from api.errors import ApiError
from api.request_context import context_of, new_request_id

# Of a WebSocket's handshake: what `websockets` (`http11.py`) reads.
MAX_SOCKET_LINES, MAX_SOCKET_LINE = 128, 8000

logger = logging.getLogger(__name__)


class BrokenHttp(H11Protocol):
    """uvicorn's HTTP, which answers what it cannot read in the envelope.

    Where a request in a dialect has begun, in that dialect.
    """

    def send_400_response(self, msg: str) -> None:
        """Answer, unless an answer has begun, and close the connection."""
        if self.cycle is not None:
            # The app would answer as well.
            self.cycle.disconnected = True
        if self.conn.our_state in (IDLE, SEND_RESPONSE):
            self.transport.write(self._refusal(msg))
        self.transport.close()

    def handle_websocket_upgrade(self, event: Request) -> None:
        """Hand a connection over to the protocol of WebSockets, which reads no long lines."""
        sizes = [len(event.target), *(len(name) + len(value) for name, value in self.headers)]
        if len(sizes) > MAX_SOCKET_LINES or max(sizes) > MAX_SOCKET_LINE:
            self.send_400_response("The handshake has too many headers, or too long ones.")
        else:
            super().handle_websocket_upgrade(event)

    def _refusal(self, message: str) -> bytes:
        request_id = new_request_id()
        logger.warning("Request %s could not be read", request_id)
        headers = {"connection": "close", "x-request-id": request_id}
        answer = self._answer(ApiError(message, headers=headers))
        lines = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
        return b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + bytes(answer.body)

    def _answer(self, error: ApiError) -> Response:
        answer = None
        if self.cycle is not None:
            scope = cast("Scope", self.cycle.scope)
            answer = context_of(scope).dialect.error_answer(error, scope)
        return answer or ErrorResponse(error)
