"""Errors of a server, in the client's own."""

from __future__ import annotations

import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import httpx

from client.backend.errors import (
    ClientError,
    GivenUpError,
    NoEndpointError,
    NoJobError,
    NoServiceError,
    NotConnectedError,
    RecordingError,
    RefusedOptionError,
    TryAgainError,
    UnreachableError,
)
from client.remote.server import Server

# What may be over soon though nobody says when, as are failures of the server and of proxies.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_SERVER_FAILURES = 500
# An error of any other field would be the same for every recording.
OF_THE_RECORDING = (None, "file")
_NO_RESULT = frozenset({"not_completed", "no_result"})
_MAX_MESSAGE = 500


def problem(server: Server, response: httpx.Response) -> ClientError:
    """The error that an answer means, whose body has been read."""
    detail = error_detail(response.text)
    message = told(server, detail, f"{response.status_code} {response.reason_phrase}")
    match response.status_code:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return NoServiceError(f"{server} refuses the key: {message}")
        case HTTPStatus.NOT_FOUND if detail.get("code") == "model_not_found":
            return NoServiceError(f"{server} has no such model: {message}")
        case HTTPStatus.NOT_FOUND if detail.get("code") == "job_not_found":
            return NoJobError(message)
        case HTTPStatus.NOT_FOUND if detail.get("code") in _NO_RESULT:
            return RecordingError(message)
        case HTTPStatus.NOT_FOUND:
            return NoEndpointError(f"{server} has no such endpoint: is it the address of an API?")
        case HTTPStatus.BAD_REQUEST if detail.get("param") not in OF_THE_RECORDING:
            return RefusedOptionError(message)
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE if (
            seconds := _retry_after(response)
        ) is not None:
            return TryAgainError(message, seconds)
        case HTTPStatus.GATEWAY_TIMEOUT:
            # It took too long, and would at once again.
            return GivenUpError(message)
        case status if status in _PASSING or status >= _SERVER_FAILURES:
            return TryAgainError(message)
    return RecordingError(message)


def problem_of_stream(server: Server, detail: dict[str, Any]) -> ClientError:
    """The error that ends a stream, which has no status of its own."""
    message = told(server, detail, "the server broke off")
    if detail.get("type") == "server_error":
        return TryAgainError(message)
    return RecordingError(message)


def unreachable(server: Server, error: httpx.RequestError) -> UnreachableError:
    """The connection was not made, or lost."""
    reason = server.safe(str(error)) or type(error).__name__
    is_made = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    kind = UnreachableError if is_made else NotConnectedError
    return kind(f"no answer from {server} ({reason})")


def error_detail(text: str) -> dict[str, Any]:
    """The members of OpenAI's error envelope; empty where the text is none."""
    with suppress(ValueError):
        body = json.loads(text)
        detail = body.get("error") if isinstance(body, dict) else None
        return detail if isinstance(detail, dict) else {}
    return {}


def told(server: Server, detail: dict[str, Any], otherwise: str) -> str:
    """The message of an error, in one line and without the key."""
    message = detail.get("message")
    text = message if isinstance(message, str) and message.strip() else otherwise
    return server.safe(one_line(text))


def one_line(message: str) -> str:
    """A message as it is told: in one line, which is not too long."""
    return " ".join(message.split())[:_MAX_MESSAGE]


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds; a date, which HTTP allows as well, is not read."""
    value = response.headers.get("retry-after", "")
    return max(float(value), 1.0) if value.isdecimal() else None
