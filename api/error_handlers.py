"""Exception handlers of the app: whatever its routes raise, in OpenAI's envelope."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_response import ErrorResponse
from api.errors import ApiError, api_error, known_or_internal
from api.request_context import request_label
from api.response_state import ResponseState
from models.errors import WhisperError


class InternalErrors:
    """Middleware: 500 without details for an unexpected error, which is logged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; once the answer has begun an error can only be raised again."""
        answer = ResponseState(send)
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:
            if scope["type"] != "http" or answer.has_begun:
                raise
            known = known_or_internal(error, request_label(scope))
            await answer.refuse(known, scope, receive)


async def _on_whisper_error(request: Request, error: Exception) -> Response:
    known = api_error(error)
    if known is None:
        raise error
    return ErrorResponse(known)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"{error.detail}: {request.method} {request.url.path}"
    status, headers = error.status_code, error.headers
    return ErrorResponse(ApiError(message, status=status, headers=headers))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    param = str(first["loc"][-1])
    return ErrorResponse(ApiError(f"{param}: {first['msg']}", param=param, code="invalid_value"))


def install(app: FastAPI) -> None:
    """Make every error of the app OpenAI-shaped."""
    app.add_exception_handler(WhisperError, _on_whisper_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_middleware(InternalErrors)
