"""Audio track and channel: those that a request asks for, and the one read (light: no av)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

from models.errors import OptionError

# libswresample's.
MAX_CHANNELS = 64
MAX_TRACKS = 1_000


@dataclass(frozen=True)
class ReadOptions:
    """One of a file's audio tracks, and one of its channels.

    `channel` counts from 0; None: the mix of all. `audio_track` is an index among the audio
    tracks, from 0, or the code of a language (ISO 639-1, -2 or -3); None: the track that a player
    takes.

    Raises:
        OptionError: a value cannot be served; it names the option.
    """

    # ISO 639, with region or script behind it (BCP 47).
    LANGUAGE: ClassVar[str] = r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}"

    channel: int | None = None
    audio_track: int | str | None = None

    def __post_init__(self) -> None:
        if self.channel is not None and not 0 <= self.channel < MAX_CHANNELS:
            raise OptionError("channel", f"channel must lie in 0..{MAX_CHANNELS - 1}.")
        track = self.audio_track
        if isinstance(track, int) and not 0 <= track < MAX_TRACKS:
            raise OptionError("audio_track", f"audio_track must lie in 0..{MAX_TRACKS - 1}.")
        if isinstance(track, str) and not re.fullmatch(self.LANGUAGE, track):
            raise OptionError(
                "audio_track",
                "audio_track must be an index, counted from 0, or a language code such as en.",
            )

    def to_bytes(self) -> bytes:
        """The same, for another process: below 100 bytes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The options of the bytes that `to_bytes` gave."""
        return cls(**json.loads(data))


@dataclass(frozen=True)
class AudioTrack:
    """The track that is read: its index among the `count` audio tracks, and its language tag.

    `language` is what the file says, such as `eng` or `pt-BR`; None: nothing.
    """

    index: int
    count: int
    language: str | None = None


MIX = ReadOptions()
OnTrack = Callable[[AudioTrack], None]
