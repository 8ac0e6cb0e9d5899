"""Observation of WebSockets: one record of each when it is over, refused or not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request_context import RequestContext, context_of
from api.response_state import ResponseState
from api.telemetry.endpoints import OTHER, SOCKETS
from api.telemetry.observe import Observed, Observer

# No close frame came or went (RFC 6455, 7.4.1).
ABNORMAL_CLOSURE = 1006
METHOD, ENDPOINT = "WS", "/v1/realtime"


class ObserveSockets:
    """Middleware: calls the observers with every WebSocket that is over."""

    def __init__(self, app: ASGIApp, observers: Sequence[Observer]) -> None:
        self.app, self.observers = app, tuple(observers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on; the code of the first close is that of its session."""
        context, answer = context_of(scope), ResponseState(send)

        def note_close(message: Message, kind: str) -> None:
            session = context.session
            if session and message["type"] == kind and session.close_code is None:
                session.close_code = message.get("code", 1000)

        async def watched_receive() -> Message:
            message = await receive()
            note_close(message, "websocket.disconnect")
            return message

        async def watched_send(message: Message) -> None:
            note_close(message, "websocket.close")
            await answer.send(message)

        try:
            await self.app(scope, watched_receive, watched_send)
        finally:
            if context.session and context.session.close_code is None:
                context.session.close_code = ABNORMAL_CLOSURE
            observed = _observed(scope, context, answer)
            for observer in self.observers:
                observer(observed)


def _observed(scope: Scope, context: RequestContext, answer: ResponseState) -> Observed:
    status = answer.status or HTTPStatus.INTERNAL_SERVER_ERROR
    if context.session and context.failure:
        status = context.failure.status
    return Observed(
        request_id=context.id,
        method=METHOD,
        endpoint=ENDPOINT if scope["path"] in SOCKETS else OTHER,
        status=int(status),
        model=context.model,
        key_name=context.key_name,
        seconds=time.monotonic() - context.stats.began,
        stats=context.stats,
        headers=Headers(scope=scope),
        is_fault=context.failure is not None and context.failure.is_fault,
        dialect=context.dialect.name,
        session=context.session,
    )
