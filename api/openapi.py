"""What the API's own documentation says of answers and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from api.schemas import ErrorBody

JSON = dict[str, "JSON"] | list["JSON"] | str | float | bool | None
Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """The error answers a route may give."""
    described = {
        400: "The request cannot be served as it is.",
        404: "No such model.",
        500: "The server failed.",
        503: "The model is loading or the queue is full; `retry-after` says when to come again.",
    }
    return {status: {"model": ErrorBody, "description": described[status]} for status in statuses}


def transcript_answers(*more: str) -> Responses:
    """The answers of a transcription: JSON (described by the route), text, `more`, and errors."""
    text = {"schema": {"type": "string"}}
    content = dict.fromkeys(("text/plain", *more), text)
    ok = {"description": "In the response format asked for.", "content": content}
    return {200: ok, **errors(400, 404, 500, 503)}


def form_body(request: type[BaseModel]) -> dict[str, Any]:
    """The request body of a file and the fields of `request`."""
    schema = request.model_json_schema()
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
    return {name: _inlined(each, definitions) for name, each in schema.items()}
