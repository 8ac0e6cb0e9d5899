"""Malformed HTTP: the answer to bytes that no app is shown."""

from __future__ import annotations

import logging

from h11 import IDLE, SEND_RESPONSE
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.error_response import ErrorResponse
from api.errors import ApiError
from api.request_context import new_request_id

logger = logging.getLogger(__name__)


class BrokenHttp(H11Protocol):
    """uvicorn's HTTP, which answers what it cannot read in the envelope."""

    def send_400_response(self, msg: str) -> None:
        """Answer, unless an answer has begun, and close the connection."""
        if self.cycle is not None:
            # The app would answer as well.
            self.cycle.disconnected = True
        if self.conn.our_state in (IDLE, SEND_RESPONSE):
            self.transport.write(self._refusal(msg))
        self.transport.close()

    def _refusal(self, message: str) -> bytes:
        request_id = new_request_id()
        logger.warning("Request %s could not be read", request_id)
        headers = {"connection": "close", "x-request-id": request_id}
        answer = ErrorResponse(ApiError(message, headers=headers))
        lines = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
        return b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + bytes(answer.body)
