"""Options of a live session, in the words of OpenAI's realtime API (light: no torch)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.options import TranscribeOptions, VoiceOptions

Encoding = Literal["pcm16", "g711_ulaw", "g711_alaw"]
Eagerness = Literal["low", "medium", "high", "auto"]
# How long text may wait before it is settled: see `models/live/agreement.py`.
Delay = Literal["minimal", "low", "medium", "high", "xhigh"]
PCM_RATES = (8_000, 16_000, 24_000, 48_000)


@dataclass(frozen=True)
class AudioFormat:
    """Samples of a session: 16-bit little-endian mono PCM at `rate` Hz, or G.711 at 8,000."""

    encoding: Encoding = "pcm16"
    rate: int = 24_000


@dataclass(frozen=True)
class ServerVad:
    """A turn ends when nobody has spoken for `voice.silence_duration_ms`."""

    voice: VoiceOptions = field(default_factory=VoiceOptions)


@dataclass(frozen=True)
class SemanticVad:
    """A turn ends in a pause that follows a finished sentence, or else in a longer one."""

    eagerness: Eagerness = "auto"
    voice: VoiceOptions = field(default_factory=VoiceOptions)


@dataclass(frozen=True)
class LiveOptions:
    """What a session may change while it runs; `turn_detection` None: the client commits.

    `model` is the name of a checkpoint; None transcribes nothing, and reports speech and turns.
    """

    model: str | None
    format: AudioFormat = AudioFormat()
    turn_detection: ServerVad | SemanticVad | None = ServerVad()
    delay: Delay = "medium"
    transcription: TranscribeOptions = field(default_factory=TranscribeOptions)
