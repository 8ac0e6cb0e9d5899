"""whisper.cpp's server: `/inference` and `/load`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import BinaryIO, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from api.dialect import Dialect
from api.dialects.inference_answers import Languages, inference_answer
from api.dialects.inference_fields import InferenceFields
from api.dialects.model_choice import served_or_default
from api.errors import ApiError
from api.forms.read_form import parse_body, read_form, text_fields
from api.request_context import context_of
from api.requests.admitted import Admitted, admit
from api.requests.model_registry import registry_of
from models.errors import ModelNotFoundError, OptionError

PATHS = frozenset({"/inference", "/load"})
_MISSING = "missing_required_parameter"
_LOADED = "Load was successful!"
# Where whisper.cpp's tools put a model, and what they call it.
_MODEL_FILE = re.compile(r"(?:.*[/\\])?(?:ggml-)?(?P<name>.+?)(?:\.bin)?")


class WhisperCpp(Dialect):
    """Its errors are `{"error": ...}`, a string."""

    name: ClassVar[str] = "whisper-cpp"

    def endpoint(self, scope: Scope) -> str | None:
        """One of its two paths."""
        return scope["path"] if scope["path"] in PATHS else None

    def routes(self) -> Sequence[BaseRoute]:
        """Both of them."""
        return (
            Route("/inference", inference, methods=["POST"]),
            Route("/load", load, methods=["POST"]),
        )

    def error_answer(self, error: ApiError, scope: Scope) -> Response:
        """A string in the place of OpenAI's object."""
        message = error.message
        if error.code == _MISSING:
            message = f"no '{error.param}' field in the request"
        return JSONResponse({"error": message}, status_code=error.status, headers=error.headers)


async def inference(request: Request) -> Response:
    """POST /inference: the text of a recording, or its translation."""
    async with read_form(request) as form:
        fields = InferenceFields.from_form(form)
        registry, context = registry_of(request), context_of(request)
        model = served_or_default(registry, fields.model)
        async with admit(registry, context, model, form.file) as admitted:
            transcript = await admitted.transcribe(form.file, fields.options())
            languages = await _languages(admitted, form.file, fields)
    return await asyncio.to_thread(inference_answer, transcript, fields, languages)


async def _languages(admitted: Admitted, file: BinaryIO, fields: InferenceFields) -> Languages:
    """The probabilities of languages, where they are shown."""
    if not fields.shows_languages:
        return {}
    try:
        return await admitted.detect_language(file)
    except OptionError:  # the model knows English only
        return {}


async def load(request: Request) -> Response:
    """POST /load: the default model is loaded already; another is chosen by request here."""
    data = await parse_body(request)
    try:
        values = text_fields(data).get("model", [])
    finally:
        await data.close()
    if not values:
        raise ApiError("The field 'model' is missing.", param="model", code=_MISSING)
    registry = registry_of(request)
    named = _MODEL_FILE.fullmatch(values[-1])
    try:
        model = registry.find(named["name"] if named else values[-1])
    except ModelNotFoundError as error:
        raise ApiError("model not found!", param="model") from error
    if model != registry.default:
        message = (
            "This server does not change its model for all clients: "
            f"send model={model.name} with each request."
        )
        raise ApiError(message, param="model")
    return Response(_LOADED, media_type="application/text")
