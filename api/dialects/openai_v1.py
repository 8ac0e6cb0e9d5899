"""The prefix `/openai/v1`, at which both Azure's and Groq's clients find OpenAI's API."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Mount, Route, Router

from api.jobs import routes as job_routes
from api.routes import detect_language, model_list, transcriptions
from api.routes.unmatched import Unmatched
from api.telemetry.endpoints import OTHER, endpoint_of

# Below it the paths are those of OpenAI.
PARENT = "/openai"
PREFIX = f"{PARENT}/v1"


def endpoint_below(path: str) -> str | None:
    """The endpoint of a path below the prefix; None: it is elsewhere."""
    if not path.startswith(f"{PREFIX}/"):
        return None
    found = endpoint_of(path.removeprefix(PARENT))
    return found if found == OTHER else f"{PARENT}{found}"


def openai_routes(*first: BaseRoute) -> list[BaseRoute]:
    """OpenAI's routes below the prefix, where `first` come before them."""
    audio = (transcriptions.router, job_routes.router, detect_language.router)
    routers = (*audio, model_list.router)
    return below(PREFIX, [*first, *(route for router in routers for route in router.routes)])


def below(path: str, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Routes below a path, and all that is a 404 or 405 there.

    What is not known to be here BentoML would answer, with a redirect for the path itself.
    """
    router = Router(routes, redirect_slashes=False)
    return [Route(path, Unmatched(())), Mount(path, app=router)]
