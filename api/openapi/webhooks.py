"""Webhooks in the OpenAPI document: what a receiver is sent."""

from __future__ import annotations

from typing import Any

from api.openapi.examples import EVENT

_TYPES = ("transcription.completed", "transcription.failed", "transcription.cancelled")
_HEADERS = {
    "webhook-id": ("The event's id: the same whenever it is sent again.", EVENT["id"]),
    "webhook-timestamp": ("When it was sent, in Unix seconds.", "1764003600"),
    "webhook-signature": (
        "`v1,` and the HMAC-SHA256 of id, timestamp and body in base64; one for each secret.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def webhooks() -> dict[str, Any]:
    """The webhooks by the type of their event, each with an operation of the receiver's."""
    return {kind: {"post": _operation(kind)} for kind in _TYPES}


def _operation(kind: str) -> dict[str, Any]:
    example = {**EVENT, "type": kind, "data": {**EVENT["data"], "status": kind.partition(".")[2]}}
    schema = {"$ref": "#/components/schemas/TranscriptionEvent"}
    return {
        "tags": ["jobs"],
        "summary": f"The end of a background job with a webhook_url: {kind}",
        "description": "It is signed as by Standard Webhooks, and sent again until it is taken.",
        "parameters": [_header(name) for name in _HEADERS],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {
            "2XX": {"description": "The event is taken."},
            "410": {"description": "No attempt is wanted any more."},
            "default": {"description": "It is sent again later."},
        },
    }


def _header(name: str) -> dict[str, Any]:
    description, example = _HEADERS[name]
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }
