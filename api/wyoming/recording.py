"""An utterance's audio: PCM of any rate, width and channels, kept as a WAV file on the disk."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from api.errors import ApiError
from api.forms.read_form import no_room
from models.audio_options import MAX_CHANNELS

# What is spoken to an assistant takes seconds.
MAX_SECONDS = 600
MAX_BYTES = 256 * 1024 * 1024
_RATES = (1_000, 384_000)
_WIDTHS = (1, 4)

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM = 1


@dataclass(frozen=True)
class PcmFormat:
    """Samples a second, bytes a sample, and channels.

    As in a WAV file samples are little-endian, and signed but for those of one byte.
    """

    rate: int
    width: int
    channels: int

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> PcmFormat:
        """The format in an event's data.

        Raises:
            ApiError: it is missing, or none that is taken.
        """
        return cls(
            _number(data, "rate", *_RATES),
            _number(data, "width", *_WIDTHS),
            _number(data, "channels", 1, MAX_CHANNELS),
        )

    @property
    def bytes_per_second(self) -> int:
        """Bytes of a second of sound."""
        return self.rate * self.frame

    @property
    def frame(self) -> int:
        """Bytes of one sample of all channels."""
        return self.width * self.channels

    def header(self, size: int) -> bytes:
        """The header of a WAV file with so many bytes of sound."""
        rest = _HEADER.size - 8
        riff = (b"RIFF", rest + size, b"WAVE", b"fmt ", 16)
        sound = (_PCM, self.channels, self.rate, self.bytes_per_second, self.frame, 8 * self.width)
        return _HEADER.pack(*riff, *sound, b"data", size)


class Recording:
    """A WAV file that grows by chunks, of at most `max_seconds`."""

    def __init__(self, pcm: PcmFormat, max_seconds: int) -> None:
        self.pcm = pcm
        self.size = 0
        self._max_seconds = max_seconds
        self._maximum = min(MAX_BYTES, max_seconds * pcm.bytes_per_second)
        try:
            self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
            self.file.write(pcm.header(0))
        except OSError as error:
            raise no_room() from error

    def add(self, sound: bytes) -> None:
        """Append a chunk.

        Raises:
            ApiError: it is too much by now, or there is no room on the disk.
        """
        self.size += len(sound)
        if self.size > self._maximum:
            raise ApiError(
                f"The utterance is too long: {self._max_seconds} seconds, or {MAX_BYTES} bytes, "
                "are the most that is taken.",
                code="audio_too_long",
            )
        try:
            self.file.write(sound)
        except OSError as error:
            raise no_room() from error

    def finish(self) -> None:
        """Make it a file that can be read, from its start; half a sample at its end is cut."""
        self.size -= self.size % self.pcm.frame
        try:
            self.file.truncate(_HEADER.size + self.size)
            self.file.seek(0)
            self.file.write(self.pcm.header(self.size))
            self.file.seek(0)
        except OSError as error:
            raise no_room() from error

    def close(self) -> None:
        """Remove it."""
        # What is still to be written may find no room, and nobody wants it.
        with suppress(OSError):
            self.file.close()


def _number(data: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        message = f"The audio's {name} must be a whole number from {low} to {high}."
        raise ApiError(message, param=name, code="invalid_value")
    return value
