"""Path guard and normalization: paths that routes and guards would read differently."""

from __future__ import annotations

import re
from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiError
from api.middleware.guard import Guard

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SLASHES = re.compile(r"/{2,}")


class PathGuard(Guard):
    """Middleware: 404 for a path with a control character.

    Starlette's routes pass over a line break at the end, which a comparison does not.
    """

    def refusal(self, scope: Scope) -> ApiError | None:
        """404 for such a path."""
        if not _CONTROL.search(scope["path"]):
            return None
        message = f"Not Found: {scope['method']} {scope['path']}"
        return ApiError(message, status=HTTPStatus.NOT_FOUND)


class SocketPathGuard(Guard):
    """Middleware: 404 for a WebSocket at any other path than `paths`."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        super().__init__(app)
        self.paths = paths

    def refusal(self, scope: Scope) -> ApiError | None:
        """404 for such a path."""
        if scope["path"] in self.paths:
            return None
        message = f"Not Found: WebSocket {scope['path']}"
        return ApiError(message, status=HTTPStatus.NOT_FOUND)


class SingleSlashes:
    """Middleware: slashes that follow each other in a path are one, for all who read it.

    Clients whose base URL ends in a slash make two of it. Routes know no such path, so that none
    changes its meaning; guards stand behind this, and see what the routes see.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its path so."""
        if "//" in scope.get("path", ""):
            path = _SLASHES.sub("/", scope["path"])
            # Percent-encoded slashes of the raw path are merged as well.
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self.app(scope, receive, send)
