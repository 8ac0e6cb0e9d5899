"""The response with an error, in OpenAI's envelope or as the request's dialect has it."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api.errors import ApiError, error_body
from api.request_context import context_of


class ErrorResponse(JSONResponse):
    """The envelope with the error's status and headers; sent, it is the request's failure.

    A request in another dialect is sent that dialect's answer in its place.
    """

    def __init__(self, error: ApiError) -> None:
        body = error_body(error).model_dump()
        super().__init__(body, status_code=error.status, headers=error.headers)
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        context = context_of(scope)
        context.failure = self._error
        if answer := context.dialect.error_answer(self._error, scope):
            await answer(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
