"""The OpenAI-compatible ASGI app."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.routing import BaseRoute, Route

from api import error_handlers
from api.openapi.document import complete
from api.page.routes import page_routes
from api.routes import detect_language, health, model_list, transcriptions
from api.routes.unmatched import Unmatched

# For the document alone: `api/middleware/access.py` checks the keys, before there is a route.
_KEYS = (
    HTTPBearer(auto_error=False, description="An API key, where the server asks for one."),
    APIKeyHeader(name="api-key", auto_error=False, description="The same, as Azure's clients do."),
)


def _name(route: APIRoute) -> str:
    return route.name


def create_app(version: str, more: Sequence[BaseRoute] = ()) -> FastAPI:
    """The app, with `more` routes that its document does not list.

    Until `app.state.registry` is a `ModelRegistry` it answers 503.

    Every path of OpenAI's API is there without `/v1` as well, for base URLs that lack it. What
    `api/middleware/stack.py` puts around it is part of its answers, too.
    """
    app = FastAPI(
        title="whisper-bento",
        description="Whisper over OpenAI's audio API.",
        version=version,
        # FastAPI's own load their scripts from elsewhere; `api/page` has `/docs`.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_name,
        dependencies=[Security(key) for key in _KEYS],
    )
    routers = (transcriptions.router, detect_language.router, model_list.router)
    for router in routers:
        app.include_router(router, prefix="/v1")
        app.include_router(router, include_in_schema=False)
    app.include_router(health.router)
    unmatched = Unmatched([route for router in routers for route in router.routes])
    # Before the document is made: a route that is added later makes FastAPI forget it.
    app.router.routes.extend([*page_routes(), *more])
    for path in ("/v1", "/v1/{path:path}"):
        app.router.routes.append(Route(path, unmatched, include_in_schema=False))
    error_handlers.install(app)
    complete(app.openapi())
    return app
