"""The response with an error in OpenAI's envelope."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api.errors import ApiError, error_body
from api.request_context import context_of


class ErrorResponse(JSONResponse):
    """The envelope with the error's status and headers; sent, it is the request's failure."""

    def __init__(self, error: ApiError) -> None:
        body = error_body(error).model_dump()
        super().__init__(body, status_code=error.status, headers=error.headers)
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        context_of(scope).failure = self._error
        await super().__call__(scope, receive, send)
