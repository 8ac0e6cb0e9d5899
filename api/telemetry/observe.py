"""Observation of requests: one record of each when it is over, for logs, metrics and traces."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dialect import OPENAI
from api.errors import CLIENT_CLOSED_REQUEST
from api.request_context import RequestContext, context_of
from api.response_state import ResponseState
from api.session_stats import SessionStats
from api.telemetry.endpoints import endpoint_of
from models.request_stats import RequestStats

Outcome = Literal["ok", "invalid", "denied", "refused", "cancelled", "timeout", "failed"]

_OUTCOMES: dict[int, Outcome] = {
    HTTPStatus.UNAUTHORIZED: "denied",
    HTTPStatus.FORBIDDEN: "denied",
    HTTPStatus.TOO_MANY_REQUESTS: "refused",
    HTTPStatus.SERVICE_UNAVAILABLE: "refused",
    HTTPStatus.GATEWAY_TIMEOUT: "timeout",
    CLIENT_CLOSED_REQUEST: "cancelled",
}


@dataclass(frozen=True)
class Observed:
    """A request that is over.

    `status` is 499 where the client went away first, and that of the error where a stream failed
    on its way; `is_fault`: the error is one of ours. `model` and `key_name` are empty where they
    are not known; `seconds` is the time from the headers to the end of the answer. `dialect` is the
    API that the request is written in. `session` is that of a WebSocket that was opened, which is
    over with its end.
    """

    request_id: str
    method: str
    endpoint: str
    status: int
    model: str
    key_name: str
    seconds: float
    stats: RequestStats
    headers: Headers
    is_fault: bool = False
    dialect: str = OPENAI.name
    session: SessionStats | None = None

    @property
    def outcome(self) -> Outcome:
        """The status in one of a few words."""
        if self.is_fault:
            return "failed"
        if self.status in _OUTCOMES:
            return _OUTCOMES[self.status]
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "failed"
        return "invalid" if self.status >= HTTPStatus.BAD_REQUEST else "ok"


Observer = Callable[[Observed], None]


class Observe:
    """Middleware: calls the observers with every request that is over, and its `RequestStats`."""

    def __init__(self, app: ASGIApp, observers: Sequence[Observer]) -> None:
        self.app, self.observers = app, tuple(observers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; it is over with the last of its answer, or when the client left."""
        context, answer = context_of(scope), ResponseState(send)
        left: float | None = None

        async def watched_receive() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.disconnect" and answer.ended is None:
                left = left or time.monotonic()
            return message

        try:
            await self.app(scope, watched_receive, answer.send)
        finally:
            ended = left or answer.ended or time.monotonic()
            status = CLIENT_CLOSED_REQUEST if left else _status(context, answer)
            observed = _observed(scope, status, ended - context.stats.began)
            for observer in self.observers:
                observer(observed)


def _status(context: RequestContext, answer: ResponseState) -> int:
    if context.failure and answer.ended:
        return context.failure.status
    return answer.status or HTTPStatus.INTERNAL_SERVER_ERROR


def _observed(scope: Scope, status: int, seconds: float) -> Observed:
    context = context_of(scope)
    return Observed(
        request_id=context.id,
        method=scope["method"],
        endpoint=context.endpoint or endpoint_of(scope["path"]),
        status=status,
        model=context.model,
        key_name=context.key_name,
        seconds=seconds,
        stats=context.stats,
        headers=Headers(scope=scope),
        is_fault=context.failure is not None and context.failure.is_fault and status >= 500,
        dialect=context.dialect.name,
    )
