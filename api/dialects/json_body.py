"""JSON bodies on OpenAI's paths, with the recording in base64, as OpenRouter has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from api.dialect import Dialect
from api.dialects.json_form import read_json
from api.routes.transcriptions import transcribe, translate

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
# Each with the endpoint that it counts as.
PATHS = {
    path: endpoint
    for endpoint in (TRANSCRIPTIONS, TRANSLATIONS)
    for path in (endpoint, endpoint.removeprefix("/v1"))
}


class JsonBody(Dialect):
    """Told from OpenAI's requests by the type of the body; answers and errors are OpenAI's."""

    name: ClassVar[str] = "json-body"

    def endpoint(self, scope: Scope) -> str | None:
        """OpenAI's endpoint of the same path."""
        found = PATHS.get(scope["path"])
        return found if found and is_json(scope) else None

    def routes(self) -> Sequence[BaseRoute]:
        """OpenAI's paths, for such bodies alone."""
        answers = {TRANSCRIPTIONS: transcriptions, TRANSLATIONS: translations}
        return [
            JsonRoute(path, answers[endpoint], methods=["POST"]) for path, endpoint in PATHS.items()
        ]


class JsonRoute(Route):
    """A route that knows no request but those with a JSON body."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As for any route, if the body is JSON; no other method is its own, either."""
        match, found = super().matches(scope)
        return (match, found) if match is Match.FULL and is_json(scope) else (Match.NONE, {})


def is_json(scope: Scope) -> bool:
    """True if the body is said to be JSON."""
    media_type = Headers(scope=scope).get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


async def transcriptions(request: Request) -> Response:
    """POST /v1/audio/transcriptions, with a JSON body."""
    return await transcribe(request, read_json(request))


async def translations(request: Request) -> Response:
    """POST /v1/audio/translations, with a JSON body."""
    return await translate(request, read_json(request))
