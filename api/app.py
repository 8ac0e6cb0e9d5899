"""The OpenAI-compatible ASGI app."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.routing import BaseRoute, Route

from api import error_handlers
from api.dialect import Dialect
from api.jobs import routes as job_routes
from api.openapi.described_route import DescribedRoute
from api.openapi.document import complete
from api.page.routes import page_routes
from api.routes import detect_language, health, model_list, subtitles, transcriptions
from api.routes.unmatched import Unmatched

# For the document alone: `api/middleware/access.py` checks the keys, before there is a route.
_KEYS = (
    HTTPBearer(auto_error=False, description="An API key, where the server asks for one."),
    APIKeyHeader(name="api-key", auto_error=False, description="The same, as Azure's clients do."),
)


def _name(route: APIRoute) -> str:
    return route.name


def _without_version(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Those of OpenAI's API, which are there with `/v1` and without it, without it."""
    paths = {route.path for route in routes if isinstance(route, Route)}
    return [each for each in routes if isinstance(each, Route) and f"/v1{each.path}" in paths]


def create_app(
    version: str, more: Sequence[BaseRoute] = (), dialects: Sequence[Dialect] = ()
) -> FastAPI:
    """The app, with `more` routes first and those of `dialects`.

    Its document lists its own routes, and those of `more` that bring their description.

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
    app.router.routes.extend(more)
    app.router.routes.extend(route for dialect in dialects for route in dialect.routes())
    audio = (transcriptions.router, job_routes.router, detect_language.router, subtitles.router)
    routers = (*audio, model_list.router)
    for router in routers:
        app.include_router(router, prefix="/v1")
        app.include_router(router, include_in_schema=False)
    app.include_router(health.router)
    own = [route for router in routers for route in router.routes]
    unmatched = Unmatched([*own, *_without_version(more)])
    # Before the document is made: a route that is added later makes FastAPI forget it.
    app.router.routes.extend(page_routes())
    for path in ("/v1", "/v1/{path:path}"):
        app.router.routes.append(Route(path, unmatched, include_in_schema=False))
    error_handlers.install(app)
    complete(app.openapi(), [route for route in more if isinstance(route, DescribedRoute)])
    return app
