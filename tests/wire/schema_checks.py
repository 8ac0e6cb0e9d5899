"""Checks of every answer to a generated request."""

from __future__ import annotations

from typing import Any

import schemathesis
from pydantic import TypeAdapter
from schemathesis.checks import (
    CheckContext,
    allow_header_conformance,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.schemas import ErrorBody
from api.stream_schemas import (
    TranscriptionPeaks,
    TranscriptionProgress,
    TranscriptionVerboseJson,
    TranscriptTextDelta,
    TranscriptTextDone,
    TranscriptTextSegment,
)

STREAM = "text/event-stream; charset=utf-8"
Event = (
    TranscriptTextDelta
    | TranscriptTextSegment
    | TranscriptionProgress
    | TranscriptionPeaks
    | TranscriptionVerboseJson
    | TranscriptTextDone
)
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
# Fields of `stream_events`, and the events that each asks for.
ASKED = {
    "segment": "transcript.text.segment",
    "progress": "transcription.progress",
    "peaks": "transcription.peaks",
    "verbose_json": "transcription.verbose_json",
}


def errors_in_envelope(ctx: CheckContext, response: schemathesis.Response, case: Any) -> None:
    """Every error has OpenAI's shape, that of an unknown method included."""
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/json"]
        ErrorBody.model_validate_json(response.content)


def body_as_described(ctx: CheckContext, response: schemathesis.Response, case: Any) -> None:
    """A body conforms to its schema; of a stream, each event does.

    Schemathesis would hold the schema of the whole stream, a string, against each event.
    """
    if response.headers["content-type"] != [STREAM]:
        response_schema_conformance(ctx, response, case)
        return
    *events, end, rest = response.content.decode().split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    *before, done = [EVENT.validate_json(event.removeprefix("data: ")).type for event in events]
    asked = {ASKED[each] for each in case.body.get("stream_events", ())}
    assert set(before) <= {"transcript.text.delta", *asked}
    assert done == "transcript.text.done"


# Not among them: that invalid requests are refused (unknown fields are ignored, and values taken
# as clients happen to write them), that valid ones are served (random bytes are no audio; what
# `schema_cases.give_audio` makes whole must be), and that keys are asked for (there are none).
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    body_as_described,
    unsupported_method,
    allow_header_conformance,
    errors_in_envelope,
]
