"""What the native endpoints take and answer; the work and the errors are the OpenAI app's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, cast

from pydantic import BeforeValidator, Field

from api.errors import api_error, error_response
from api.formats import verbose
from api.parameters import TranslationRequest
from api.schemas import TranscriptionVerbose
from api.served import ServedModels
from models.errors import WhisperError


def _as_text(value: object) -> object:
    # BentoML reads form fields as JSON: a prompt of 2024 arrives as a number.
    return value if value is None or isinstance(value, str) else json.dumps(value)


ModelId = Annotated[str, Field(description="A model id, such as `whisper-1` or `base`.")]
Language = Annotated[
    str | None,
    Field(description="The language spoken: `en`, `en-US` or `english`; else it is detected."),
]
Prompt = Annotated[
    str | None,
    BeforeValidator(_as_text),
    Field(description="Text to continue: style, names, spelling."),
]


async def answer_natively(
    served: ServedModels, path: Path, kind: type[TranslationRequest], **values: object
) -> TranscriptionVerbose:
    """The transcript of a file, with the parameters `values` of a request of that kind."""
    try:
        wanted = kind.from_values(values)
        async with served.use(wanted.model) as transcriber:
            with path.open("rb") as audio:
                return verbose(await transcriber.transcribe(audio, wanted.options()))
    except WhisperError as error:
        known = api_error(error)
        if known is None:
            raise
        # BentoML passes a response through as it is; an exception it would log with a traceback,
        # as if the client's mistake were ours.
        return cast("TranscriptionVerbose", error_response(known))
