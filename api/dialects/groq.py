"""Groq: OpenAI's API below `/openai/v1`, with `x_groq` in its answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from api.dialect import Dialect
from api.dialects.openai_v1 import endpoint_below, openai_routes
from api.forms.read_form import read_form
from api.request_context import context_of
from api.routes.transcriptions import transcribe, translate


class Groq(Dialect):
    """Its errors are OpenAI's. Vercel's client of it takes no answer without `x_groq`."""

    name: ClassVar[str] = "groq"

    def endpoint(self, scope: Scope) -> str | None:
        """Any below its prefix."""
        return endpoint_below(scope["path"])

    def routes(self) -> Sequence[BaseRoute]:
        """OpenAI's, of which two answer with `x_groq`."""
        return openai_routes(
            Route("/audio/transcriptions", _transcriptions, methods=["POST"]),
            Route("/audio/translations", _translations, methods=["POST"]),
        )


async def _transcriptions(request: Request) -> Response:
    return _with_id(await transcribe(request, read_form(request)), request)


async def _translations(request: Request) -> Response:
    return _with_id(await translate(request, read_form(request)), request)


def _with_id(response: Response, request: Request) -> Response:
    """An answer in JSON with the request's id as its last member; any other as it is."""
    if response.media_type == "application/json":
        # Of hours of speech it has megabytes: it is not parsed for that.
        member = f',"x_groq":{{"id":{json.dumps(context_of(request).id)}}}}}'
        response.body = bytes(response.body).removesuffix(b"}") + member.encode()
        response.headers["content-length"] = str(len(response.body))
    return response
