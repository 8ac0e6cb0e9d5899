"""Merging of partial session updates, and the paths of the fields that cannot be served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from api.errors import ApiError

# Off is a value of these; elsewhere null stands for the default, as in RFC 7396.
_SWITCHES = ("transcription", "turn_detection")
# Objects whose other fields belong to their type, with the type that one without has.
_TYPED = {"format": "audio/pcm", "turn_detection": "server_vad"}
# As a string, a format is one of the beta shape's.
FORMATS: Mapping[str, Mapping[str, Any]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}


def merged(known: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """An object with an update merged in, as RFC 7396 has it, but for what can be switched off.

    What has a type keeps it where the update does not name one, and starts anew with another.
    """
    result = dict(known)
    for name, value in update.items():
        if value is None and name not in _SWITCHES:
            result.pop(name, None)
            continue
        if name == "format" and isinstance(value, str):
            value = FORMATS.get(value, value)
        result[name] = _merged_value(name, known.get(name), value)
    return result


def _merged_value(name: str, known: object, value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    before = known if isinstance(known, Mapping) else {}
    if name not in _TYPED:
        return merged(before, value)
    kind = value.get("type") or before.get("type") or _TYPED[name]
    if kind != before.get("type"):
        before = {}
    return {**merged(before, value), "type": kind}


def refusal(error: ValidationError, session: Mapping[str, Any]) -> ApiError:
    """The first field of a session that cannot be served, in OpenAI's words."""
    first = error.errors(include_url=False)[0]
    kind, loc = first["type"], first["loc"]
    if kind.startswith("union_tag"):
        loc = (*loc, "type")
    param = dotted("session", loc, session)
    if kind == "extra_forbidden":
        return ApiError(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    message = f"Invalid value for '{param}': {first['msg']}."
    return ApiError(message, param=param, code="invalid_value")


def dotted(root: str, loc: Sequence[str | int], value: object) -> str:
    """The path of a field in `value`, such as `session.include[0]`, from a place of pydantic's.

    That has the tags of unions as well, which are no fields.
    """
    path = root
    for part in loc:
        if isinstance(value, Mapping) and part in value:
            path, value = f"{path}.{part}", value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            path, value = f"{path}[{part}]", value[part]
        elif part == loc[-1] and isinstance(value, Mapping):
            path = f"{path}.{part}"  # one that is missing
    return path
