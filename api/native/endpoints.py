"""Native endpoints: their parameters and answers; work and errors are those of the OpenAI app."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Protocol, cast

from pydantic import BeforeValidator, Field, SkipValidation
from starlette.requests import Request

from api.error_response import ErrorResponse
from api.errors import known_or_internal
from api.forms.parameters import Temperature as Checked
from api.forms.parameters import TranslationRequest
from api.request_context import context_of, request_label
from api.requests.admitted import admit
from api.requests.model_registry import DEFAULT_ID, ModelRegistry
from api.responses.formats import verbose
from api.schemas import TranscriptionVerbose


def _as_text(value: object) -> object:
    # BentoML reads form fields as JSON: a prompt of 2024 arrives as a number.
    return value if value is None or isinstance(value, str) else json.dumps(value)


# BentoML checks none of it: it would log a traceback for each mistake, and answer in its own way.
ModelId = Annotated[
    str,
    SkipValidation,
    BeforeValidator(_as_text),
    Field(description="A model id, such as `whisper-1` or `base`."),
]
Language = Annotated[
    str | None,
    BeforeValidator(_as_text),
    Field(description="The language spoken: `en`, `en-US` or `english`; else it is detected."),
]
Prompt = Annotated[
    str | None,
    BeforeValidator(_as_text),
    Field(description="Text to continue: style, names, spelling."),
]
Temperature = Annotated[Checked, SkipValidation]


class Answer(Protocol):
    """BentoML's answer to a call."""

    status_code: int


class Context(Protocol):
    """BentoML's context of a call."""

    @property
    def request(self) -> Request:
        """The request as it came."""
        ...

    @property
    def response(self) -> Answer:
        """Its answer, to be."""
        ...


def _without_empty(values: Mapping[str, object]) -> dict[str, object]:
    """The values that are not empty; an empty field is absent, as to the OpenAI app."""
    return {
        name: value
        for name, value in values.items()
        if not (isinstance(value, str) and not value.strip())
    }


async def answer_natively(
    registry: ModelRegistry,
    context: Context,
    path: Path,
    kind: type[TranslationRequest],
    **values: object,
) -> TranscriptionVerbose:
    """The transcript of a file, with the parameters `values` of a request of that kind."""
    request = context_of(context.request)
    request.native_reached = True
    try:
        parameters = kind.from_values({"model": DEFAULT_ID, **_without_empty(values)})
        with path.open("rb") as audio:
            async with admit(registry, request, parameters.model, audio) as admitted:
                return verbose(await admitted.transcribe(audio, parameters.options()))
    except Exception as error:  # noqa: BLE001 - BentoML would answer it in its own way
        known = known_or_internal(error, request_label(context.request))
        # BentoML passes a response through as it is; an exception it would log with a traceback,
        # as if the client's mistake were ours. The status is that of the context.
        context.response.status_code = known.status
        return cast("TranscriptionVerbose", ErrorResponse(known))
