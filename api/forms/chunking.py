"""`chunking_strategy`: the cutting of a recording into windows, in OpenAI's form."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag

from models.options import MAX_VOICE_MS, Strategy, VoiceOptions

Milliseconds = Annotated[int, Field(ge=0, le=MAX_VOICE_MS)]


class ServerVad(BaseModel):
    """Windows are cut where nobody speaks; a pause is what is below `threshold` for so long."""

    type: Literal["server_vad"] = Field(description="The kind of detection.")
    threshold: float = Field(
        0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="The least probability of speech that counts as speech.",
    )
    prefix_padding_ms: Milliseconds = Field(
        300, description="How much of a pause is kept around what is said."
    )
    silence_duration_ms: Milliseconds = Field(200, description="The shortest pause that counts.")


def _as_object(value: object) -> object:
    """An object that was written as JSON, as curl's users do."""
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON: {error}") from error


def _kind(value: object) -> str:
    return "name" if isinstance(value, str) else "server_vad"


ChunkingName = Literal["auto", "sequential"]
ChunkingStrategy = Annotated[
    Annotated[ChunkingName, Tag("name")] | Annotated[ServerVad, Tag("server_vad")],
    Discriminator(_kind),
    BeforeValidator(_as_object),
]


def strategy_options(chunking: ChunkingName | ServerVad | None) -> dict[str, Any]:
    """The strategy, and the options of voice detection, in the words of `TranscribeOptions`."""
    if isinstance(chunking, ServerVad):
        voice = VoiceOptions(
            threshold=chunking.threshold,
            prefix_padding_ms=chunking.prefix_padding_ms,
            silence_duration_ms=chunking.silence_duration_ms,
        )
        return {"strategy": "parallel", "voice": voice}
    strategy: Strategy = chunking or "auto"
    return {"strategy": strategy}
