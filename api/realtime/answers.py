"""Answer schemas of client secrets, as OpenAI's API describes them."""

from __future__ import annotations

from typing import Literal

from api.schemas import Absent, Answer
from models.live.live_options import Delay, Eagerness


class SessionFormat(Answer):
    """What the audio of a session is."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
    """16-bit little-endian PCM, or G.711."""
    rate: Absent[int] = None
    """Samples a second."""
    channels: Absent[int] = None
    """1, where it was asked for."""


class SessionTranscription(Answer):
    """How speech becomes text."""

    model: str
    """The id of the model."""
    language: str | None
    """The language; null: it is detected, or one of `languages`."""
    languages: list[str] | None
    """The languages that it may be."""
    keywords: list[str] | None
    """Words that are likely to be said."""
    prompt: str | None
    """Text that the transcript continues."""
    delay: Delay
    """How long text may wait before it is settled."""


class SessionNoiseReduction(Answer):
    """Taken and not used."""

    type: Absent[Literal["near_field", "far_field"]] = None
    """As it was asked for."""
    strength: Absent[float] = None
    """As it was asked for."""


class SessionTurnDetection(Answer):
    """How turns end."""

    type: Literal["server_vad", "semantic_vad"]
    """With a pause, or with what was to be said."""
    threshold: Absent[float] = None
    """The probability from which on a sound is speech."""
    prefix_padding_ms: Absent[int] = None
    """Sound before speech that is its turn's."""
    silence_duration_ms: Absent[int] = None
    """The pause that ends a turn."""
    eagerness: Absent[Eagerness] = None
    """How soon a turn ends in a pause."""
    create_response: Absent[bool] = None
    """As it was asked for: taken and not used."""
    interrupt_response: Absent[bool] = None
    """As it was asked for: taken and not used."""
    idle_timeout_ms: Absent[int] = None
    """As it was asked for: taken and not used."""


class SessionInput(Answer):
    """What is spoken."""

    format: SessionFormat
    """What the audio is."""
    transcription: SessionTranscription | None
    """How speech becomes text; null: it does not."""
    noise_reduction: SessionNoiseReduction | None
    """Taken and not used."""
    turn_detection: SessionTurnDetection | None
    """How turns end; null: the client commits."""


class SessionAudio(Answer):
    """The audio of a session."""

    input: SessionInput
    """That of the speaker."""


class RealtimeSession(Answer):
    """The configuration of a session, defaults included."""

    type: Literal["transcription"]
    """The kind of session."""
    object: Literal["realtime.transcription_session"]
    """The kind of object."""
    id: str
    """Its id."""
    expires_at: int
    """When the secret ends, in Unix seconds."""
    audio: SessionAudio
    """Its audio."""
    include: list[str] | None
    """What events have beyond the usual."""


class ClientSecret(Answer):
    """A key that opens live sessions alone, and what they begin with."""

    value: str
    """The key."""
    expires_at: int
    """When it ends, in Unix seconds; sessions that run then go on."""
    session: RealtimeSession
    """What its sessions begin with."""
