"""What the app answers to errors that its routes raise."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse, api_error, known_or_internal, request_named
from models.errors import WhisperError


class InternalErrors:
    """Middleware that logs what nobody expected and answers 500 without details."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; once the answer has begun an error can only be raised again."""
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            known = known_or_internal(error, request_named(scope))
            await ErrorResponse(known)(scope, receive, send)


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
