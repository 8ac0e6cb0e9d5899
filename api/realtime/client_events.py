"""Client events: JSON text -> a typed event, or the error that it is answered with."""

from __future__ import annotations

import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from api.errors import ApiError
from api.realtime.beta import UPDATE
from api.realtime.session_merge import dotted

MAX_EVENT_ID = 512
# Of conversations, which transcription sessions are not.
_OF_CONVERSATIONS = ("conversation.", "response.", "output_audio_buffer.")
_SHOWN = 100


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event_id: Annotated[str, Field(max_length=MAX_EVENT_ID)] = ""


class SessionUpdate(_Event):
    """Changes what it names of the session."""

    type: Literal["session.update"]
    session: dict[str, Any]


class BetaSessionUpdate(_Event):
    """The same in the beta shape."""

    type: Literal["transcription_session.update"]
    session: dict[str, Any]


class Append(_Event):
    """More audio in base64."""

    type: Literal["input_audio_buffer.append"]
    audio: str

    def data(self) -> bytes:
        """The audio.

        Raises:
            ApiError: it is not base64 (RFC 4648).
        """
        try:
            return binascii.a2b_base64(self.audio, strict_mode=True) if self.audio else b""
        except ValueError:
            message = "Invalid value for 'audio': it is not base64."
            raise ApiError(message, param="audio", code="invalid_value") from None


class Commit(_Event):
    """Ends the turn."""

    type: Literal["input_audio_buffer.commit"]


class Clear(_Event):
    """Drops what is not committed."""

    type: Literal["input_audio_buffer.clear"]


ClientEvent = SessionUpdate | BetaSessionUpdate | Append | Commit | Clear
_TYPES = (
    "session.update",
    UPDATE,
    *(f"input_audio_buffer.{name}" for name in ("append", "commit", "clear")),
)
_ADAPTER: TypeAdapter[ClientEvent] = TypeAdapter(
    Annotated[ClientEvent, Field(discriminator="type")]
)


class ClientEventError(ApiError):
    """An event that cannot be obeyed; `event_id` is its own, or empty."""

    def __init__(self, error: ApiError, event_id: str) -> None:
        super().__init__(error.message, status=error.status, param=error.param, code=error.code)
        self.event_id = event_id


def parse(message: str | bytes) -> ClientEvent:
    """The event that a message is.

    Raises:
        ClientEventError: it is none, or not one for a transcription session.
    """
    try:
        data = from_json(message, allow_inf_nan=False)
    except ValueError:
        raise ClientEventError(_invalid("The message is not valid JSON."), "") from None
    if not isinstance(data, dict):
        raise ClientEventError(_invalid("The message is not a JSON object."), "")
    event_id = data.get("event_id")
    known_id = event_id if isinstance(event_id, str) and len(event_id) <= MAX_EVENT_ID else ""
    if problem := _type_problem(data.get("type")):
        raise ClientEventError(problem, known_id)
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        raise ClientEventError(_field_problem(error, data), known_id) from None


def _type_problem(kind: object) -> ApiError | None:
    if not isinstance(kind, str):
        return _invalid("The 'type' field is missing, or no text.")
    if kind in _TYPES:
        return None
    shown = kind if len(kind) <= _SHOWN else f"{kind[:_SHOWN]}..."
    if kind.startswith(_OF_CONVERSATIONS):
        message = f"'{shown}' is not supported in a transcription session."
    else:
        message = f"Invalid value: '{shown}'. Supported values are: {', '.join(_TYPES)}."
    return ApiError(message, param="type", code="invalid_value")


def _field_problem(error: ValidationError, data: dict[str, Any]) -> ApiError:
    first = error.errors(include_url=False, include_input=False)[0]
    param = dotted("", first["loc"][1:], data).removeprefix(".")
    match first["type"]:
        case "extra_forbidden":
            message, code = f"Unknown parameter: '{param}'.", "unknown_parameter"
        case "missing":
            message, code = f"Missing required parameter: '{param}'.", "missing_required_parameter"
        case _:
            message, code = f"Invalid value for '{param}': {first['msg']}.", "invalid_value"
    return ApiError(message, param=param, code=code)


def _invalid(message: str) -> ApiError:
    return ApiError(message, code="invalid_event")
