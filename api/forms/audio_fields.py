"""Channel and track fields: which sound of a file is read."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from models.audio_options import MAX_CHANNELS, MAX_TRACKS, ReadOptions

_NUMBER = re.compile(r"[0-9]{1,9}")


def _error(kind: str, message: str) -> PydanticCustomError:
    # The text goes in as a value: a brace in it must not be read as a place holder.
    return PydanticCustomError(kind, "{message}", {"message": message})


def _channel(value: object) -> object:
    text = str(value).strip().lower()
    if text == "mix":
        return None
    if text == "each":
        message = "this server does not transcribe each channel by itself yet: give one number"
        raise _error("unsupported_value", message)
    if not _NUMBER.fullmatch(text) or int(text) >= MAX_CHANNELS:
        message = f"it must be mix, or the number of a channel from 0 to {MAX_CHANNELS - 1}"
        raise _error("invalid_value", message)
    return int(text)


def _track(value: object) -> object:
    text = str(value).strip()
    if _NUMBER.fullmatch(text) and int(text) < MAX_TRACKS:
        return int(text)
    if re.fullmatch(ReadOptions.LANGUAGE, text):
        return text
    message = f"it must be an index from 0 to {MAX_TRACKS - 1}, or a language code such as en"
    raise _error("invalid_value", message)


_INDEX = {"type": "integer", "minimum": 0}
Channel = Annotated[
    int | None,
    BeforeValidator(_channel),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "const": "mix"}, _INDEX | {"maximum": MAX_CHANNELS - 1}]}
    ),
]
TrackChoice = Annotated[
    int | str | None,
    BeforeValidator(_track),
    WithJsonSchema(
        {
            "anyOf": [
                _INDEX | {"maximum": MAX_TRACKS - 1},
                {"type": "string", "pattern": f"^{ReadOptions.LANGUAGE}$"},
            ]
        }
    ),
]


class AudioParameters(BaseModel):
    """The track and the channel to read of a file with several."""

    channel: Channel = Field(
        None,
        description="`mix`, or the one channel to read, counted from 0.",
        examples=["mix", 1],
    )
    audio_track: TrackChoice = Field(
        None,
        description="The audio track to read: an index, counted from 0, or a language code; else "
        "the one that a player takes. `x-audio-track` says which it was.",
        examples=[1, "en"],
    )

    def reading(self) -> ReadOptions:
        """The same in the words of `TranscribeOptions`."""
        return ReadOptions(self.channel, self.audio_track)
