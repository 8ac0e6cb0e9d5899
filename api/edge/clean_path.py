"""Paths that routes and guards would understand differently."""

from __future__ import annotations

import re
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class CleanPath:
    """Middleware: 404 for a path with a control character.

    Starlette's routes pass over a line break at the end, which a comparison does not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if not _CONTROL.search(scope["path"]):
            await self.app(scope, receive, send)
            return
        message = f"Not Found: {scope['method']} {scope['path']}"
        error = ApiError(message, status=HTTPStatus.NOT_FOUND)
        await ErrorResponse(error)(scope, receive, send)
