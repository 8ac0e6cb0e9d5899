"""OpenAPI operations of the realtime API: client secrets, and the upgrade to a WebSocket."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api.errors import ApiError
from api.openapi.described_route import Operation, refused
from api.openapi.openapi import json_body, refusals
from api.realtime.answers import ClientSecret
from api.realtime.session_fields import LOGPROBS

_TAGS = ["realtime"]
_SECRET: dict[str, Any] = {
    "value": "ek_eyJrZXkiOiIifQ.c2lnbmF0dXJl",
    "expires_at": 1764000600,
    "session": {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "expires_at": 1764000600,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {
                    "model": "whisper-1",
                    "language": "en",
                    "languages": None,
                    "keywords": None,
                    "prompt": None,
                    "delay": "low",
                },
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 200,
                },
            }
        },
        "include": [LOGPROBS],
    },
}
_WEBSOCKET = (
    "The handshake of a WebSocket (RFC 6455). OpenAPI has no word for what follows: JSON events, "
    "`session.created` first, as in OpenAI's realtime API for transcription. A key may also be the "
    "sub-protocol `openai-insecure-api-key.KEY`, and a client secret counts as one. What cannot be "
    "served is refused before the upgrade."
)
_PARAMETERS = {
    "model": "The id of the model; the default one without it.",
    "deployment": "The same, as Azure's clients have it.",
    "intent": "`transcription`: there is nothing else.",
}
_HANDSHAKE = {
    "400": refused(
        "Bad Request. Another intent than transcription.",
        ApiError("intent must be transcription, not 'translation'.", param="intent"),
    ),
    "403": refused(
        "Forbidden. The web page may not use this server.",
        ApiError(
            "Web pages of other origins may not use this server: see WHISPER_CORS_ORIGINS.",
            status=403,
        ),
    ),
    "426": refused(
        "Upgrade Required. A plain request: a proxy in between may not let the upgrade pass.",
        ApiError("This is a WebSocket: a proxy in between must let its upgrade pass.", status=426),
    ),
}


def upgrade() -> Operation:
    """GET with an upgrade: a live session."""
    switched = {"description": "Switching Protocols. The session is open, and events follow."}
    fields = {
        "tags": _TAGS,
        "summary": "Realtime",
        "description": _WEBSOCKET,
        "operationId": "realtime",
        "parameters": [
            {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
            for name, text in _PARAMETERS.items()
        ],
        "responses": {"101": switched, **refusals(404, 503), **_HANDSHAKE},
    }
    return Operation("GET", fields)


def client_secret(request: type[BaseModel]) -> Operation:
    """POST of a client secret, of what `request` asks for."""
    schema = {"$ref": "#/components/schemas/ClientSecret"}
    made = {
        "description": "The secret.",
        "content": {"application/json": {"schema": schema, "example": _SECRET}},
    }
    fields = {
        "tags": _TAGS,
        "summary": "Client Secret",
        "description": "A key for some minutes that opens live sessions alone.",
        "operationId": "client_secret",
        "requestBody": json_body(request),
        "responses": {"200": made, **refusals(400, 403, 503)},
    }
    return Operation("POST", fields, [ClientSecret])
