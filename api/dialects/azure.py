"""Azure OpenAI: deployments in the path, and OpenAI's API below `/openai/v1`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from api.dialect import Dialect
from api.dialects.openai_v1 import PARENT, below, endpoint_below, openai_routes
from api.errors import ApiError
from api.forms.read_form import Form, read_form
from api.requests.model_registry import registry_of
from api.routes import model_list
from api.routes.transcriptions import transcribe, translate
from models.errors import ModelNotFoundError

_DEPLOYMENT = re.compile(rf"{PARENT}/deployments/.+(/audio/(transcriptions|translations))")
_MODELS = f"{PARENT}/models"


class Azure(Dialect):
    """Its errors are OpenAI's, but for a deployment that does not exist.

    Every `api-version` is taken, and none as well: what they differ in is not speech.
    """

    name: ClassVar[str] = "azure"

    def endpoint(self, scope: Scope) -> str | None:
        """Those of deployments and models, and what is below `/openai/v1`."""
        path: str = scope["path"]
        if match := _DEPLOYMENT.fullmatch(path):
            return f"{PARENT}/deployments/{{deployment}}{match[1]}"
        if path == _MODELS:
            return path
        if path.startswith(f"{_MODELS}/"):
            return f"{_MODELS}/{{model}}"
        return endpoint_below(path)

    def routes(self) -> Sequence[BaseRoute]:
        """Its own, and OpenAI's below `/openai/v1`."""
        deployment = "/deployments/{deployment:path}/audio"
        own = [
            Route(f"{deployment}/transcriptions", _transcriptions, methods=["POST"]),
            Route(f"{deployment}/translations", _translations, methods=["POST"]),
            *model_list.router.routes,
        ]
        return [*openai_routes(), *below(PARENT, own)]


async def _transcriptions(request: Request) -> Response:
    return await transcribe(request, _deployed_form(request))


async def _translations(request: Request) -> Response:
    return await translate(request, _deployed_form(request))


@asynccontextmanager
async def _deployed_form(request: Request) -> AsyncIterator[Form]:
    """The request's form, with the deployment in the place of a model.

    Raises:
        ApiError: there is no such deployment, before the body is read; or as for `read_form`.
    """
    name = str(request.path_params["deployment"])
    try:
        registry_of(request).find(name)
    except ModelNotFoundError as error:
        message = f"The deployment '{name}' does not exist."
        not_found = HTTPStatus.NOT_FOUND
        raise ApiError(message, status=not_found, code="DeploymentNotFound") from error
    async with read_form(request) as form:
        yield replace(form, fields={**form.fields, "model": [name]})
