"""Completion of the OpenAPI document: headers, events and security that FastAPI leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.errors import MAX_RETRY_AFTER
from api.job_schemas import TranscriptionEvent, TranscriptionJobEnded
from api.middleware.response_headers import OPENAI_VERSION
from api.openapi.described_route import DescribedRoute
from api.openapi.examples import JOB, JOBS, MODEL, MODEL_LIST, NEW_JOB
from api.openapi.webhooks import webhooks
from api.schemas import ErrorDetail
from api.stream_schemas import (
    TranscriptionPeaks,
    TranscriptionProgress,
    TranscriptionVerboseJson,
    TranscriptTextDelta,
    TranscriptTextDone,
    TranscriptTextSegment,
)

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
    "x-whisper-model": {
        "description": "The checkpoint that was chosen; absent where none was yet.",
        "schema": {"type": "string"},
        "example": "large-v3-turbo",
    },
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
# Answers with nulls, by operation and status: FastAPI drops those of examples.
_NULLED = {
    "models": {"200": MODEL_LIST},
    "model": {"200": MODEL},
    "transcriptions": {"202": NEW_JOB},
    "translations": {"202": NEW_JOB},
    "transcription_jobs": {"200": JOBS},
    "transcription_job": {"200": JOB},
    "cancel_transcription_job": {"200": JOB},
}
# Statuses of requests that may have been in the queue.
_QUEUED = ("200", "400", "503", "504")
# Every parameter of a path is a string, so that none can be invalid.
_FASTAPIS_OWN_STATUS = "422"
_FASTAPIS_OWN_SCHEMAS = ("HTTPValidationError", "ValidationError")


def complete(document: dict[str, Any], routes: Iterable[DescribedRoute] = ()) -> None:
    """Add these routes to an app's document, and the facts of all answers; drop what is untrue."""
    for path in document["paths"].values():
        for operation in path.values():
            # A server may do without keys.
            operation["security"].insert(0, {})
            operation["responses"].pop(_FASTAPIS_OWN_STATUS, None)
            for status, response in operation["responses"].items():
                _complete_response(status, response)
                if example := _NULLED.get(operation["operationId"], {}).get(status):
                    response["content"]["application/json"]["example"] = example
                if status in _QUEUED and _brings_recording(operation):
                    response["headers"] |= _OF_QUEUE
    components = document["components"]
    components["headers"] = _ON_ALL
    components["schemas"] |= _schemas_of(
        [
            TranscriptionPeaks,
            TranscriptionProgress,
            TranscriptionVerboseJson,
            TranscriptionEvent,
            TranscriptionJobEnded,
            TranscriptTextDelta,
            TranscriptTextSegment,
            TranscriptTextDone,
        ]
    )
    document["webhooks"] = webhooks()
    for route in routes:
        _add(route, document)
    for name in _FASTAPIS_OWN_SCHEMAS:
        del components["schemas"][name]


def _brings_recording(operation: dict[str, Any]) -> bool:
    return "multipart/form-data" in operation.get("requestBody", {}).get("content", {})


def _add(route: DescribedRoute, document: dict[str, Any]) -> None:
    operation = deepcopy(dict(route.operation.fields))
    for status, response in operation["responses"].items():
        response["headers"] = _headers(status, response)
    keys: list[dict[str, list[str]]] = [
        {name: []} for name in document["components"]["securitySchemes"]
    ]
    operation["security"] = [{}, *keys]
    method = route.operation.method.lower()
    document["paths"].setdefault(route.path, {})[method] = operation
    document["components"]["schemas"] |= _schemas_of(route.operation.schemas)


def _complete_response(status: str, response: dict[str, Any]) -> None:
    response["headers"] = _headers(status, response)
    if response["content"].get("application/json") == {"schema": {}}:
        # FastAPI's guess of what is text alone.
        del response["content"]["application/json"]
    if not status.startswith("2"):
        # For their nulls again.
        error = response["content"]["application/json"]["example"]["error"]
        error |= {name: error.get(name) for name in ErrorDetail.model_fields}


def _headers(status: str, response: dict[str, Any]) -> dict[str, Any]:
    shared = {name: {"$ref": f"#/components/headers/{name}"} for name in _ON_ALL}
    return {**shared, **response.get("headers", {}), **_OF_STATUS.get(status, {})}


def _schemas_of(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The schemas of answers that FastAPI does not see, such as the events of a stream."""
    asked: list[tuple[type[BaseModel], Any]] = [(model, "serialization") for model in models]
    _, found = models_json_schema(asked, ref_template="#/components/schemas/{model}")
    return dict(found.get("$defs", {}))
