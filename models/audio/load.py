"""Container to samples: any audio or video file becomes mono float32 at 16 kHz, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from models.audio.container import (
    damage_explained,
    header_seconds,
    open_container,
    packet_seconds,
    packets,
)
from models.audio.joined import parts
from models.audio.resampling import resampled
from models.audio.truncation import check_complete, slack, stated_seconds
from models.errors import AudioError

Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000

_MAX_CHANNELS = 64  # libswresample's


def load(source: BinaryIO | Path) -> Samples:
    """All samples of a file at once, `[samples]`; else as `read`."""
    return np.concatenate(list(read(source)))


def read(source: BinaryIO | Path) -> Generator[Samples, None, None]:
    """Samples in [-1, 1] of the first audio track of a file, in pieces of about a second.

    `source` is a path or a seekable binary file; the format is told by content. Mixing and
    resampling are libswresample's defaults in 16 bits, as in openai-whisper's `whisper/audio.py`;
    a packet that cannot be decoded is left out, as ffmpeg does. Whether all of the file is there
    may show only at its end.

    Raises:
        AudioError: the file is empty, cut off, of no known format, or has no readable audio.
        OSError: the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from read(file)
        return
    with closing(AudioFile(source)) as audio:
        for piece in audio.pieces():
            yield piece.astype(np.float32) / np.float32(32768)


class AudioFile:
    """The first audio track of a file, of at most `max_seconds`; 0: of any length.

    Where several files stand in a row, it is all of theirs, and `before` the seconds of those in
    front. How long it is said to be, by the header or by the packets, may be too long already.

    Raises:
        AudioError: as for `read`, or the recording is longer.
    """

    def __init__(self, source: BinaryIO, max_seconds: int = 0, before: float = 0) -> None:
        source, *self._others = parts(source)
        check_complete(source)
        self._source, self._max, self._before = source, max_seconds, before
        self._least = stated_seconds(source)
        self._container = open_container(source)
        seconds = header_seconds(self._container) or self._least
        # Headers may say less than there is, as where files were joined.
        self._believed = 1.1 * seconds + 10 if seconds and max_seconds else math.inf
        if max_seconds and seconds is None:
            seconds = packet_seconds(source, max_seconds)
        self._check_limit(seconds or 0)

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """Its samples, mono at 16 kHz, in pieces of about a second."""
        found = 0.0
        for piece in self._samples():
            found += len(piece) / SAMPLE_RATE
            if found > self._believed:
                self._believed = math.inf
                self._check_limit(packet_seconds(self._source, self._max))
            self._check_limit(found)
            yield piece
        if not found:
            raise AudioError("The file's audio track is empty, or nothing in it could be decoded.")
        if self._least is not None and found < self._least - slack(self._least):
            raise AudioError(
                "The file is cut off or damaged: "
                f"{found:.1f} of {self._least:.1f} seconds can be decoded."
            )
        for other in self._others:
            found += yield from self._joined(other, found)

    def close(self) -> None:
        """Close the container; the file stays open."""
        self._container.close()

    def _joined(self, other: BinaryIO, before: float) -> Generator[NDArray[np.int16], None, float]:
        """The samples of the file behind this one; its seconds."""
        found = 0.0
        with closing(AudioFile(other, self._max, before)) as audio:
            for piece in audio.pieces():
                found += len(piece) / SAMPLE_RATE
                yield piece
        return found

    def _check_limit(self, seconds: float) -> None:
        seconds += self._before
        if self._max and seconds > self._max:
            raise AudioError(
                f"The recording is too long: {self._max} seconds are the most that is taken, and "
                f"it has {seconds:.2f} or more."
            )

    def _samples(self) -> Iterator[NDArray[np.int16]]:
        with damage_explained():
            yield from resampled(_frames(self._container), SAMPLE_RATE)


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioError("The file's audio is in a codec that is not supported.")
    if stream.channels > _MAX_CHANNELS:
        raise AudioError(
            f"Audio with {stream.channels} channels is not supported: {_MAX_CHANNELS} are the most."
        )
    stream.codec_context.thread_count = 1
    for packet in packets(container):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            continue
        yield from frames
