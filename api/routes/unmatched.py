"""Unknown paths under /v1: 404, or 405 where only the method is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


class Unmatched:
    """The last route under /v1; `known` are the routes before it, without their /v1.

    BentoML asks the app's routes whether they know a path and answers itself where none does,
    so /v1 needs a route that knows them all.
    """

    def __init__(self, known: Sequence[BaseRoute]) -> None:
        self.known = [route for route in known if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise what Starlette raises for a path without a route."""
        unversioned = {**scope, "path": f"/{scope['path_params'].get('path', '')}", "root_path": ""}
        methods: set[str] = set()
        for route in self.known:
            if route.matches(unversioned)[0] is not Match.NONE:
                methods |= route.methods or set()
        if methods:
            allow = {"allow": ", ".join(sorted(methods))}
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers=allow)
        raise HTTPException(HTTPStatus.NOT_FOUND)
