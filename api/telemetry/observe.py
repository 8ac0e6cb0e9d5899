"""What each request came to, told to those who count and log when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CLIENT_CLOSED_REQUEST
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
    are not known; `seconds` is the time from the headers to the end of the answer.
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
    """Middleware: gives every request a `RequestStats`, and tells the observers when it is over.

    Handlers find it as `request.state.stats`, and set `model`, `key_name` and, where the request
    fails, `failure`: the error.
    """

    def __init__(self, app: ASGIApp, observers: Sequence[Observer]) -> None:
        self.app, self.observers = app, tuple(observers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; it is over with the last of its answer, or when nobody listens."""
        state = scope.setdefault("state", {})
        stats = state["stats"] = RequestStats()
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR
        ended: float | None = None

        async def watched_receive() -> Message:
            nonlocal status, ended
            message = await receive()
            if message["type"] == "http.disconnect" and ended is None:
                status, ended = CLIENT_CLOSED_REQUEST, time.monotonic()
            return message

        async def watched_send(message: Message) -> None:
            nonlocal status, ended
            if ended is None and message["type"] == "http.response.start":
                status = message["status"]
            elif ended is None and not message.get("more_body", False):
                failure = state.get("failure")
                status, ended = failure.status if failure else status, time.monotonic()
            await send(message)

        try:
            await self.app(scope, watched_receive, watched_send)
        finally:
            seconds = (ended or time.monotonic()) - stats.began
            self._tell(_observed(scope, stats, status, seconds))

    def _tell(self, observed: Observed) -> None:
        for observer in self.observers:
            observer(observed)


def stats_of(request: Request) -> RequestStats:
    """The request's record; one that nobody reads where nobody observes."""
    stats = getattr(request.state, "stats", None)
    return stats if isinstance(stats, RequestStats) else RequestStats()


def _observed(scope: Scope, stats: RequestStats, status: int, seconds: float) -> Observed:
    state = scope["state"]
    return Observed(
        request_id=state.get("request_id", ""),
        method=scope["method"],
        endpoint=endpoint_of(scope["path"]),
        status=status,
        model=state.get("model", ""),
        key_name=state.get("key_name", ""),
        seconds=seconds,
        stats=stats,
        headers=Headers(scope=scope),
        is_fault="failure" in state and state["failure"].is_fault and status >= 500,
    )
