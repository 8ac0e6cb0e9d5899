"""OpenAPI of a route: its form, its answers and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema

from api.errors import ApiError, error_body
from api.job_schemas import TranscriptionJob
from api.openapi.described_route import refused
from api.openapi.examples import EVENTS, FORMATS, JSON_ANSWER, NEW_JOB, VERBOSE
from api.schemas import ErrorBody

JSON = dict[str, "JSON"] | list["JSON"] | str | float | bool | None
Responses = dict[int | str, dict[str, Any]]

_STRING = {"type": "string"}
_FLAGS = {
    "description": "Why text is in doubt, where any is; a stream says it in its last event.",
    "schema": {"type": "string"},
    "example": "low_logprob, repetition",
}
_IN_FORMAT = "In the response format asked for."
_STREAMED = (
    f"{_IN_FORMAT} With `stream=true` server-sent events: the data of each is a "
    "`TranscriptTextDelta`, then of one a `TranscriptTextDone`, and of the last `[DONE]`; between "
    "the deltas are a `TranscriptTextSegment` or a `TranscriptionProgress` where `stream_events` "
    "asks for them. If the "
    "transcription fails on its way, the last is an `ErrorBody`."
)
# One error of each status, with the description of all of them.
_ERRORS = {
    400: (
        "The request cannot be served as it is; `param` names the field.",
        ApiError("temperature='7': it must be at most 1", param="temperature"),
    ),
    401: (
        "An API key is missing or wrong, where the server asks for one.",
        ApiError("The API key is not known to this server.", status=401, code="invalid_api_key"),
    ),
    403: (
        "Not for the web page that asks, or the name it is asked by: that may be of elsewhere.",
        ApiError(
            "A web page of 'http://example.com' asks for '127.0.0.1:8000', and any page may have "
            "such a name: set API keys, or name the page's origin in WHISPER_CORS_ORIGINS.",
            status=403,
        ),
    ),
    404: (
        "No such model.",
        ApiError(
            "The model 'gpt-5' does not exist", status=404, param="model", code="model_not_found"
        ),
    ),
    413: (
        "The body is larger than this server takes.",
        ApiError("The request is too large: its limit is 26214400 bytes.", status=413),
    ),
    431: (
        "URL and headers are larger than this server takes.",
        ApiError(
            "The request's headers and URL are too large: their limit is 16384 bytes.", status=431
        ),
    ),
    500: (
        "The server failed; its log says more, under the `x-request-id`.",
        ApiError("The server had an internal error while it processed the request.", status=500),
    ),
    503: (
        "Loading, overloaded or shutting down; `retry-after` says when to come again.",
        ApiError("The model is loading.", status=503, code="overloaded"),
    ),
    504: (
        "It took too long.",
        ApiError("The request took longer than 3600 seconds.", status=504, code="timeout"),
    ),
}


# What any route may answer.
_OF_ANY = (401, 413, 431, 500, 504)


class _FormSchema(GenerateJsonSchema):
    """A field of a form is left out: it cannot be null."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def shown(example: object) -> Responses:
    """An answer in JSON with this example."""
    return {200: {"content": {"application/json": {"example": example}}}}


def errors(*statuses: int) -> Responses:
    """The error answers a route may give, beside those that any may."""
    found: Responses = {}
    for status in sorted({*statuses, *_OF_ANY}):
        found |= own_error(*_ERRORS[status])
    return found


def refusals(*statuses: int) -> dict[str, Any]:
    """The same for an operation that is described by hand."""
    found = {}
    for status in sorted({*statuses, *_OF_ANY}):
        description, example = _ERRORS[status]
        found[str(status)] = refused(f"{HTTPStatus(status).phrase}. {description}", example)
    return found


def own_error(description: str, example: ApiError) -> Responses:
    """An error answer of one route, with its own description and example."""
    content = {"application/json": {"example": error_body(example).model_dump()}}
    phrase = HTTPStatus(example.status).phrase
    answer = {"model": ErrorBody, "description": f"{phrase}. {description}", "content": content}
    return {int(example.status): answer}


def transcript_answers(*, streams: bool = False) -> Responses:
    """The answers of a transcription in every format, and errors."""
    content: dict[str, Any] = {
        "application/json": {"examples": _named({"json": JSON_ANSWER, "verbose_json": VERBOSE})},
        "text/plain": {"schema": _STRING, "examples": _named(FORMATS)},
    }
    if streams:
        content["text/event-stream"] = {"schema": _STRING, "example": EVENTS}
    ok = {
        "description": _STREAMED if streams else _IN_FORMAT,
        "content": content,
        "headers": {"x-whisper-flags": _FLAGS},
    }
    return {200: ok, **errors(400, 403, 404, 503)}


def job_answers() -> Responses:
    """What a request with `background` is answered with."""
    content = {"application/json": {"example": NEW_JOB}}
    told = "Accepted. With `background=true`: the job, whose result is fetched later."
    accepted = {"model": TranscriptionJob, "description": told, "content": content}
    reused = ApiError(
        "The idempotency key was used for another recording or other fields.",
        status=409,
        code="idempotency_key_reused",
    )
    return {202: accepted, **own_error("The idempotency key is another request's.", reused)}


def file_answers() -> Responses:
    """The answer of a subtitle file."""
    files = {name: FORMATS[name] for name in ("srt", "vtt")}
    content = {"text/plain": {"schema": _STRING, "examples": _named(files)}}
    return {200: {"description": _IN_FORMAT, "content": content}}


def _named(examples: Mapping[str, object]) -> dict[str, dict[str, object]]:
    return {name: {"value": example} for name, example in examples.items()}


def json_body(request: type[BaseModel]) -> dict[str, Any]:
    """The request body of `request` in JSON, which may be left out."""
    schema = request.model_json_schema()
    inlined = _inlined(schema, schema.pop("$defs", {}))
    return {"required": False, "content": {"application/json": {"schema": inlined}}}


def form_body(request: type[BaseModel]) -> dict[str, Any]:
    """The request body of a file and the fields of `request`."""
    schema = request.model_json_schema(schema_generator=_FormSchema)
    file = {"type": "string", "format": "binary", "description": "The audio, in any format."}
    schema["properties"] = {"file": file, **schema["properties"]}
    schema["required"] = ["file", *schema["required"]]
    inlined = _inlined(schema, schema.pop("$defs", {}))
    return {"required": True, "content": {"multipart/form-data": {"schema": inlined}}}


def _inlined(schema: JSON, definitions: Mapping[str, JSON]) -> JSON:
    """The schema without references: they would be looked up in the whole document."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _inlined(definitions[reference.rpartition("/")[2]], definitions)
    # A discriminator's mapping has references as well; the schemas tell themselves apart.
    kept = {name: each for name, each in schema.items() if name != "discriminator"}
    return {name: _inlined(each, definitions) for name, each in kept.items()}
