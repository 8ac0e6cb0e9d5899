"""Fields of a session, checked: what a client may ask for, and the defaults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat
from pydantic_core import PydanticCustomError

from api.forms.fields import named_language
from models.language.language_tags import asks_to_detect
from models.live.live_options import PCM_RATES, Delay, Eagerness
from models.options import MAX_VOICE_MS, VoiceOptions

LOGPROBS = "item.input_audio_transcription.logprobs"
# Of this server alone: the text that is heard behind what is settled.
OPEN_TEXT = "item.input_audio_transcription.open_text"

_VOICE = VoiceOptions()
# Whisper reads 224 tokens of a prompt at most.
_MAX_PROMPT, _MAX_WORD, _MAX_WORDS = 20_000, 200, 1000


def _whole(value: object) -> object:
    """JSON has one kind of number: 300.0 is 300."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rate(value: object) -> object:
    if _whole(value) not in PCM_RATES or isinstance(value, bool):
        rates = ", ".join(map(str, PCM_RATES))
        raise PydanticCustomError("rate", f"the rate must be one of {rates}")
    return _whole(value)


def _known_language(text: str) -> str:
    if not asks_to_detect(text):
        named_language(text)
    return text


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Milliseconds = Annotated[int, Field(ge=0, le=MAX_VOICE_MS), BeforeValidator(_whole)]
Probability = Annotated[FiniteFloat, Field(ge=0, le=1)]
Language = Annotated[str, AfterValidator(_known_language)]
Word = Annotated[str, Field(max_length=_MAX_WORD)]


class Part(BaseModel):
    """A JSON object of a session, without fields that are not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Pcm(Part):
    """16-bit little-endian mono PCM."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Annotated[int, BeforeValidator(_rate)] = 24_000
    channels: Annotated[Literal[1] | None, BeforeValidator(_whole)] = None


class Ulaw(Part):
    """G.711 mu-law at 8,000 Hz."""

    type: Literal["audio/pcmu"]
    rate: Annotated[Literal[8000] | None, BeforeValidator(_whole)] = None
    channels: Annotated[Literal[1] | None, BeforeValidator(_whole)] = None


class Alaw(Part):
    """G.711 A-law at 8,000 Hz."""

    type: Literal["audio/pcma"]
    rate: Annotated[Literal[8000] | None, BeforeValidator(_whole)] = None
    channels: Annotated[Literal[1] | None, BeforeValidator(_whole)] = None


class Transcription(Part):
    """How speech becomes text; `model` None: the model of the connection."""

    model: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    language: Annotated[Language | None, BeforeValidator(_none_if_empty)] = None
    languages: Annotated[list[Language], Field(max_length=_MAX_WORDS)] | None = None
    keywords: Annotated[list[Word], Field(max_length=_MAX_WORDS)] | None = None
    prompt: Annotated[str, Field(max_length=_MAX_PROMPT)] | None = None
    delay: Delay | None = None


class NoiseReduction(Part):
    """Taken and not used: Whisper hears through noise."""

    type: Literal["near_field", "far_field"] | None = None
    strength: FiniteFloat | None = None


class _TurnDetection(Part):
    """What is about answers, which a transcription does not give: taken and not used."""

    create_response: bool | None = None
    interrupt_response: bool | None = None
    idle_timeout_ms: Annotated[int, Field(ge=0), BeforeValidator(_whole)] | None = None


class ServerVad(_TurnDetection):
    """A turn ends with a pause."""

    type: Literal["server_vad"]
    threshold: Probability = _VOICE.threshold
    prefix_padding_ms: Milliseconds = _VOICE.prefix_padding_ms
    silence_duration_ms: Milliseconds = _VOICE.silence_duration_ms
    # Of the other kind: taken and not used.
    eagerness: Eagerness | None = None


class SemanticVad(_TurnDetection):
    """A turn ends with what was to be said."""

    type: Literal["semantic_vad"]
    eagerness: Eagerness = "auto"


class AudioInput(Part):
    """`session.audio.input`; without `turn_detection` the model decides about it."""

    format: Annotated[Pcm | Ulaw | Alaw, Field(discriminator="type")] = Pcm()
    transcription: Transcription | None = Transcription()
    noise_reduction: NoiseReduction | None = None
    turn_detection: Annotated[ServerVad | SemanticVad, Field(discriminator="type")] | None = None


class Audio(Part):
    """`session.audio`."""

    input: AudioInput = AudioInput()


class TranscriptionSession(Part):
    """`session`; what the server tells of it may be sent back, and means nothing then."""

    type: Literal["transcription"] = "transcription"
    audio: Audio = Audio()
    include: (
        list[
            Literal[
                "item.input_audio_transcription.logprobs",
                "item.input_audio_transcription.open_text",
            ]
        ]
        | None
    ) = None
    object: Any = None
    id: Any = None
    expires_at: Any = None
