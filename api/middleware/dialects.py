"""Dialect of a request: noted in its context, so that all layers answer in it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from api.dialect import Dialect
from api.request_context import context_of


class FindDialect:
    """Middleware: notes the first of the dialects that knows a request, and the endpoint."""

    def __init__(self, app: ASGIApp, dialects: Sequence[Dialect]) -> None:
        self.app, self.dialects = app, tuple(dialects)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        for dialect in self.dialects:
            if endpoint := dialect.endpoint(scope):
                context = context_of(scope)
                context.dialect, context.endpoint = dialect, endpoint
                break
        await self.app(scope, receive, send)
