"""Descriptions of the job routes for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from api.errors import ApiError
from api.forms.parameters import TranscriptionRequest
from api.jobs.job_form import ANSWER_FIELDS
from api.openapi.examples import JOB_ID
from api.openapi.openapi import form_body, own_error

NO_JOB = own_error(
    "The key has no such job, or the job has no result.",
    ApiError(f"The job '{JOB_ID}' does not exist.", status=404, param="id", code="job_not_found"),
)
CONFLICT = (
    "The job has ended.",
    ApiError(f"The job '{JOB_ID}' has ended: it is completed.", status=409, code="job_ended"),
)


LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that was read: those behind it follow.",
    "schema": {"type": "string"},
    "example": "7",
}
EVENTS: dict[str, Any] = {
    "description": "The data of each event is a `TranscriptTextSegment`, with an id; a "
    "`TranscriptionProgress`; at the end a `TranscriptionJobEnded`; and of the last `[DONE]`. If "
    "the job cannot be read any more, the last is an `ErrorBody`.",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": 'id: 1\ndata: {"type":"transcript.text.segment","id":"0","start":0.0,'
            '"end":2.0,"text":" The wind and","speaker":"","avg_logprob":-0.25}\n\n'
            "data: [DONE]\n\n",
        }
    },
}


def answer_query() -> list[dict[str, Any]]:
    """The parameters of a result: the fields of a form that an answer is made by."""
    content = form_body(TranscriptionRequest)["content"]["multipart/form-data"]
    fields = content["schema"]["properties"]
    return [_parameter(name, dict(fields[name])) for name in ANSWER_FIELDS]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    is_list = schema.get("type") == "array"
    description, examples = schema.pop("description"), schema.pop("examples")
    schema.pop("default", None)
    return {
        "name": f"{name}[]" if is_list else name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
        "example": examples[0],
    }
