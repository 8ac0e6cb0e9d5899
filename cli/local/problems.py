"""Errors of the models, in the client's own: as those of a server would be."""

from __future__ import annotations

from http import HTTPStatus

from api.errors import api_error
from client.backend.errors import (
    ClientError,
    NoServiceError,
    RecordingError,
    RefusedOptionError,
    TryAgainError,
)
from client.remote.problems import OF_THE_RECORDING, one_line
from models.errors import DecodingError, EngineStoppedError, OverloadedError, SandboxError


def problem_of(error: Exception) -> ClientError:
    """The error that a user is told; a fault of ours is that of one recording."""
    known = api_error(error)
    if known is None:
        return RecordingError(one_line(f"internal error: {type(error).__name__}: {error}"))
    message = one_line(known.message)
    match error:
        case EngineStoppedError():
            return NoServiceError(f"the models have stopped: {message}")
        case OverloadedError():
            return TryAgainError(message, error.retry_after)
        case DecodingError() | SandboxError():
            return TryAgainError(message)
    if known.status == HTTPStatus.BAD_REQUEST and known.param not in OF_THE_RECORDING:
        return RefusedOptionError(message)
    return RecordingError(message)
