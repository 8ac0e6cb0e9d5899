"""The beta shape: a flat session object and `transcription_session.*`, over the same session.

OpenAI's own service refuses it by now. Other servers' clients speak nothing else, and it is a
renaming: here it is served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from api.errors import ApiError
from api.realtime.session_merge import FORMATS

UPDATE = "transcription_session.update"
_HEADER, _SUB_PROTOCOL = "realtime=v1", "openai-beta.realtime-v1"
# Of the flat object, and of `session.audio.input`.
_INPUT = {
    "input_audio_format": "format",
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "turn_detection": "turn_detection",
}
_EVENTS = {
    "session.created": "transcription_session.created",
    "session.updated": "transcription_session.updated",
    "conversation.item.added": "conversation.item.created",
}
_NOT_THERE = ("conversation.item.done",)


def speaks_beta(headers: Headers, sub_protocols: list[str]) -> bool:
    """True for a connection that asks for the beta shape."""
    return _HEADER in headers.get("openai-beta", "") or _SUB_PROTOCOL in sub_protocols


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """A flat session object in today's shape; fields that are not known stay, to be refused.

    Raises:
        ApiError: it has `audio`, which is of today's shape.
    """
    if "audio" in flat:
        message = "Unknown parameter: 'session.audio'."
        raise ApiError(message, param="session.audio", code="unknown_parameter")
    others = {name: value for name, value in flat.items() if name not in _INPUT}
    given = {_INPUT[name]: value for name, value in flat.items() if name in _INPUT}
    return {**others, "audio": {"input": given}} if given else others


def flat_error(error: ApiError) -> ApiError:
    """A refusal with the path and the words of the flat shape."""
    param, message = error.param or "", error.message
    for name, inner in _INPUT.items():
        path = f"session.audio.input.{inner}"
        if param == path or param.startswith((f"{path}.", f"{path}[")):
            message = message.replace(path, f"session.{name}")
            param = param.replace(path, f"session.{name}")
            return ApiError(message, status=error.status, param=param, code=error.code)
    return error


def flat_session(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The session object as beta clients are told it."""
    asked = shown["audio"]["input"]
    kind = asked["format"]["type"]
    [name] = [name for name, known in FORMATS.items() if known["type"] == kind]
    return {
        "id": shown["id"],
        "object": shown["object"],
        "expires_at": shown["expires_at"],
        **{flat: asked[inner] for flat, inner in _INPUT.items()},
        "input_audio_format": name,
        "include": shown["include"],
    }


def flat_event(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """A server event as beta clients are told it; None: they are not."""
    if event["type"] in _NOT_THERE:
        return None
    changed = {**event, "type": _EVENTS.get(event["type"], event["type"])}
    if "session" in event:
        changed["session"] = flat_session(event["session"])
    return changed
