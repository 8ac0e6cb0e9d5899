"""Events of a live session, in the order in which a client is to be told (light: no torch)."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import WhisperError
from models.text.transcript import TokenScore


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody began to speak; times count milliseconds of all audio ever appended."""

    turn: int
    audio_start_ms: int


@dataclass(frozen=True)
class SpeechStopped:
    """Nobody speaks any more; the silence that ended the turn is before `audio_end_ms`."""

    turn: int
    audio_end_ms: int


@dataclass(frozen=True)
class Committed:
    """A turn is whole: by its detection or by the client.

    One `Completed` or `Failed` follows where it `has_text`: where a model hears it.
    """

    turn: int
    has_text: bool = True


@dataclass(frozen=True)
class Cleared:
    """What was not committed is dropped; turns committed before go on."""


@dataclass(frozen=True)
class Delta:
    """More settled text of a turn: joined they are its transcript. Also before `Committed`.

    `lag` is how many seconds of sound the session had been sent behind its last word when that was
    settled, be it of this turn or not; None where words have no times.
    """

    turn: int
    text: str
    logprobs: tuple[TokenScore, ...] = ()
    lag: float | None = None


@dataclass(frozen=True)
class OpenText:
    """The turn's text behind what is settled, as it is heard now; each replaces the one before."""

    turn: int
    text: str


@dataclass(frozen=True)
class Completed:
    """A turn's transcript; empty if nothing was said. `language` is empty if it is not known."""

    turn: int
    transcript: str
    language: str
    seconds: float
    audio_tokens: int
    output_tokens: int
    logprobs: tuple[TokenScore, ...] = ()


@dataclass(frozen=True)
class Failed:
    """A turn that could not be transcribed."""

    turn: int
    error: WhisperError


@dataclass(frozen=True)
class Reply:
    """A reply of the protocol to its client, opaque here, that keeps its place among events."""

    reply: object


LiveEvent = (
    SpeechStarted
    | SpeechStopped
    | Committed
    | Cleared
    | Delta
    | OpenText
    | Completed
    | Failed
    | Reply
)
