"""Errors in OpenAI's shape, with status and headers: the one mapping of our errors to HTTP."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from api.schemas import ErrorBody, ErrorDetail
from models.errors import (
    AudioError,
    DecodingError,
    EngineStoppedError,
    IdempotencyError,
    JobDiskError,
    JobStoreError,
    ModelLoadError,
    ModelNotFoundError,
    OptionError,
    OverloadedError,
    SandboxError,
    WhisperError,
)

_INTERNAL = "The server had an internal error while it processed the request."
# OpenAI's SDKs ignore, or refuse to wait for, longer delays.
MAX_RETRY_AFTER = 60
# It has to be repaired first, so it is no use to ask again at once.
_LOAD_RETRY_SECONDS = 30
# For the access log alone: nginx's number for a client that went away.
CLIENT_CLOSED_REQUEST = 499

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

    @property
    def is_fault(self) -> bool:
        """True if something failed here; a mere refusal has a code that says why."""
        return self.type == "server_error" and self.code is None


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to come again, kept within 1..60 seconds."""
    return {"retry-after": str(math.ceil(min(max(seconds, 1), MAX_RETRY_AFTER)))}


def api_error(error: BaseException) -> ApiError | None:
    """The error as a client sees it; None: it is a fault of ours."""
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
        case DecodingError():
            return ApiError(error.message, status=503)
        case IdempotencyError():
            # OpenAI's SDKs would send it again, to be refused once more.
            headers = {"x-should-retry": "false"}
            return ApiError(
                error.message, status=409, code="idempotency_key_reused", headers=headers
            )
        case JobDiskError():
            headers = retry_after(MAX_RETRY_AFTER)
            return ApiError(error.message, status=503, code="no_room", headers=headers)
        case JobStoreError():
            headers = retry_after(_LOAD_RETRY_SECONDS)
            return ApiError(error.message, status=503, headers=headers)
        case EngineStoppedError():
            # There will be no next request on this connection.
            headers = {"connection": "close"}
            return ApiError(error.message, status=503, code="shutting_down", headers=headers)
    return None


def known_or_internal(error: BaseException, what: str) -> ApiError:
    """The error as a client sees it; a fault of ours is logged as `what`, and is a bare 500."""
    if known := api_error(error):
        return known
    logger.error("%s failed", what, exc_info=error)
    return ApiError(_INTERNAL, status=500)


def error_body(error: ApiError) -> ErrorBody:
    """The envelope alone."""
    detail = ErrorDetail(message=error.message, type=error.type, param=error.param, code=error.code)
    return ErrorBody(error=detail)
