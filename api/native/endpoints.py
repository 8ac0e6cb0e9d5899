"""What the native endpoints take and answer; the work and the errors are the OpenAI app's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Protocol, cast

from pydantic import BeforeValidator, Field, SkipValidation
from starlette.requests import Request

from api.errors import ErrorResponse, known_or_internal, request_named
from api.forms.parameters import Temperature as Checked
from api.forms.parameters import TranslationRequest
from api.native.disk_full import note_native_reached
from api.requests.model_registry import ModelRegistry, resolve_model, transcribe_admitted
from api.requests.queueing import queued
from api.responses.formats import verbose
from api.schemas import TranscriptionVerbose
from api.telemetry.observe import stats_of


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
    """What BentoML makes of an answer."""

    status_code: int


class Context(Protocol):
    """BentoML's of a call."""

    @property
    def request(self) -> Request:
        """The request as it came."""
        ...

    @property
    def response(self) -> Answer:
        """Its answer, to be."""
        ...


async def answer_natively(
    served: ModelRegistry,
    context: Context,
    path: Path,
    kind: type[TranslationRequest],
    **values: object,
) -> TranscriptionVerbose:
    """The transcript of a file, with the parameters `values` of a request of that kind."""
    note_native_reached(context.request)
    try:
        wanted = kind.from_values(values)
        request = context.request
        model = resolve_model(request, served, wanted.model)
        with path.open("rb") as audio, queued(served.admission, request, audio) as place:
            async with served.pool.use(model) as transcriber:
                work = transcribe_admitted(
                    place, transcriber, audio, wanted.options(), stats=stats_of(request)
                )
                return verbose(await work)
    except Exception as error:  # noqa: BLE001 - BentoML would answer it in its own way
        known = known_or_internal(error, request_named(context.request.scope))
        # BentoML passes a response through as it is; an exception it would log with a traceback,
        # as if the client's mistake were ours. The status is that of the context.
        context.response.status_code = known.status
        return cast("TranscriptionVerbose", ErrorResponse(known))
