"""Every error as OpenAI's API shapes it: status, envelope, headers."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answer.schemas import ErrorBody, ErrorDetail
from models.errors import (
    AudioError,
    EngineStoppedError,
    ModelLoadError,
    ModelNotFoundError,
    OptionError,
    OverloadedError,
    SandboxError,
    WhisperError,
)

# OpenAI's SDKs ignore, or refuse to wait for, longer delays.
MAX_RETRY_AFTER = 60
# Somebody has to repair it first, so it is no use to ask again at once.
_LOAD_RETRY_SECONDS = 30

logger = logging.getLogger(__name__)


class ApiError(WhisperError):
    """An error as a client sees it; `param` names the field, `code` the kind."""

    def __init__(
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = int(status)
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    @property
    def type(self) -> Literal["invalid_request_error", "server_error"]:
        """OpenAI's word for whose fault it is."""
        server = self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return "server_error" if server else "invalid_request_error"


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to come again, kept within 1..60 seconds."""
    return {"retry-after": str(math.ceil(min(max(seconds, 1), MAX_RETRY_AFTER)))}


def api_error(error: WhisperError) -> ApiError | None:
    """How a client sees an error of `models.errors`; None: it is a fault of ours."""
    match error:
        case ApiError():
            return error
        case OptionError():
            return ApiError(error.message, param=error.option, code="invalid_value")
        case AudioError():
            return ApiError(error.message, param="file")
        case ModelNotFoundError():
            return ApiError(error.message, status=404, param="model", code="model_not_found")
        case ModelLoadError():
            headers = retry_after(_LOAD_RETRY_SECONDS)
            return ApiError(error.message, status=503, param="model", headers=headers)
        case OverloadedError():
            headers = retry_after(error.retry_after)
            return ApiError(error.message, status=503, code="overloaded", headers=headers)
        case SandboxError():
            return ApiError(error.message, status=503, headers=retry_after(1))
        case EngineStoppedError():
            # There will be no next request on this connection.
            return ApiError(error.message, status=503, headers={"connection": "close"})
    return None


def error_response(error: ApiError) -> JSONResponse:
    """The envelope with the error's status and headers."""
    body = error_body(error).model_dump()
    return JSONResponse(body, status_code=error.status, headers=error.headers)


def error_body(error: ApiError) -> ErrorBody:
    """The envelope alone."""
    detail = ErrorDetail(message=error.message, type=error.type, param=error.param, code=error.code)
    return ErrorBody(error=detail)


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
        except Exception:
            if scope["type"] != "http" or started:
                raise
            request_id = scope.get("state", {}).get("request_id")
            logger.exception("Request %s (%s) failed", request_id, scope["path"])
            message = "The server had an internal error while it processed the request."
            await error_response(ApiError(message, status=500))(scope, receive, send)


async def _on_whisper_error(request: Request, error: Exception) -> Response:
    known = api_error(error) if isinstance(error, WhisperError) else None
    if known is None:
        raise error
    return error_response(known)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"{error.detail}: {request.method} {request.url.path}"
    status, headers = error.status_code, error.headers
    return error_response(ApiError(message, status=status, headers=headers))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    param = str(first["loc"][-1])
    return error_response(ApiError(f"{param}: {first['msg']}", param=param, code="invalid_value"))


def install(app: FastAPI) -> None:
    """Make every error of the app OpenAI-shaped."""
    app.add_exception_handler(WhisperError, _on_whisper_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_middleware(InternalErrors)
