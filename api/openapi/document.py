"""Completion of the OpenAPI document: headers, events and security that FastAPI leaves out."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from api.errors import MAX_RETRY_AFTER
from api.middleware.response_headers import OPENAI_VERSION
from api.openapi.openapi import error_example
from api.schemas import TranscriptTextDelta, TranscriptTextDone

_ON_ALL = {
    "x-request-id": {
        "description": "The request, in the server's log.",
        "required": True,
        "schema": {"type": "string", "pattern": "^req_[0-9a-f]{32}$"},
        "example": "req_0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    },
    "openai-processing-ms": {
        "description": "Milliseconds until the answer began.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
        "example": 417,
    },
    "openai-version": {
        "description": "The version of OpenAI's API that this one follows.",
        "required": True,
        "schema": {"type": "string", "const": OPENAI_VERSION},
        "example": OPENAI_VERSION,
    },
}
_OF_STATUS: dict[str, dict[str, Any]] = {
    "401": {
        "www-authenticate": {
            "description": "How a key is sent.",
            "required": True,
            "schema": {"type": "string"},
            "example": 'Bearer realm="OpenAI API"',
        }
    },
    "503": {
        "retry-after": {
            "description": "Seconds to wait; absent where the server will not come back.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_RETRY_AFTER},
            "example": 5,
        }
    },
    "504": {
        "x-should-retry": {
            "description": "Tells OpenAI's SDKs not to try again.",
            "required": True,
            "schema": {"type": "string", "const": "false"},
            "example": "false",
        }
    },
}
_OF_QUEUE = {
    "x-queue-position": {
        "description": "The place in the queue when the request came; 0 is none before it.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 3,
    },
    "x-queue-seconds": {
        "description": "Seconds until its turn, as estimated when it came.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 12,
    },
}
# Statuses of requests that may have been in the queue.
_QUEUED = ("200", "400", "503", "504")
# Every parameter of a path is a string, so that none can be invalid.
_FASTAPIS_OWN_STATUS = "422"
_FASTAPIS_OWN_SCHEMAS = ("HTTPValidationError", "ValidationError")


def complete(document: dict[str, Any]) -> None:
    """Add to an app's document the facts of all its answers, and take out what is not true."""
    for path in document["paths"].values():
        for operation in path.values():
            # A server may do without keys.
            operation["security"].insert(0, {})
            operation["responses"].pop(_FASTAPIS_OWN_STATUS, None)
            for status, response in operation["responses"].items():
                _complete_response(status, response)
                if "requestBody" in operation and status in _QUEUED:
                    response["headers"] |= _OF_QUEUE
    components = document["components"]
    components["headers"] = _ON_ALL
    components["schemas"] |= _events()
    for name in _FASTAPIS_OWN_SCHEMAS:
        del components["schemas"][name]


def _complete_response(status: str, response: dict[str, Any]) -> None:
    shared = {name: {"$ref": f"#/components/headers/{name}"} for name in _ON_ALL}
    own = response.get("headers", {})
    response["headers"] = {**shared, **own, **_OF_STATUS.get(status, {})}
    if not status.startswith("2"):
        # FastAPI drops the nulls of examples.
        response["content"]["application/json"]["example"] = error_example(int(status))


def _events() -> dict[str, Any]:
    """The events of a stream, to which OpenAPI 3.1 has no way to refer."""
    events: list[tuple[type[TranscriptTextDelta | TranscriptTextDone], Any]] = [
        (TranscriptTextDelta, "serialization"),
        (TranscriptTextDone, "serialization"),
    ]
    _, found = models_json_schema(events, ref_template="#/components/schemas/{model}")
    return dict(found["$defs"])
