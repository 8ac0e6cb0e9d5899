"""Loading of any audio or video file: mono float32 at 16 kHz, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from models.audio.container.demuxer import damage_explained
from models.audio.container.joined_files import parts
from models.audio.container.truncation import check_complete, slack, stated_seconds
from models.audio.load.resampling import resampled
from models.audio.load.track import Track, packet_seconds
from models.audio.samples import Samples
from models.audio_options import MAX_CHANNELS, MIX, ReadOptions
from models.errors import AudioError, OptionError
from models.units import SAMPLE_RATE


def load(source: BinaryIO | Path, options: ReadOptions = MIX) -> Samples:
    """All samples of a file at once, `[samples]`; else as `read`."""
    return np.concatenate(list(read(source, options)))


def read(source: BinaryIO | Path, options: ReadOptions = MIX) -> Generator[Samples, None, None]:
    """Samples in [-1, 1] of an audio track of a file, in pieces of about a second.

    They begin with the file, as a player shows it: where its sound begins later, or has holes above
    20 ms, there is silence. `source` is a path or a seekable binary file; the format is told by
    content. Mixing and resampling are libswresample's defaults in 16 bits, as in openai-whisper's
    `whisper/audio.py`; a packet that cannot be decoded is left out, as ffmpeg does. Whether all of
    the file is there may show only at its end.

    Raises:
        AudioError: the file is empty, cut off, of no known format, or has no readable audio.
        OptionError: it has no such track or channel.
        OSError: the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from read(file, options)
        return
    with closing(AudioFile(source, options=options)) as audio:
        for piece in audio.pieces():
            yield piece.astype(np.float32) / np.float32(32768)


class AudioFile:
    """An audio track of a file, of at most `max_seconds` from the file's start; 0: of any length.

    Where several files stand in a row, it is all of theirs, and `before` the seconds of those in
    front. How long it is said to be, by the header or by the packets, may be too long already.
    `track` is the one that is read.

    Raises:
        AudioError: as for `read`, or the recording is longer.
        OptionError: as for `read`.
    """

    def __init__(
        self,
        source: BinaryIO,
        max_seconds: int = 0,
        options: ReadOptions = MIX,
        before: float = 0,
    ) -> None:
        source, *self._others = parts(source)
        check_complete(source)
        self._source, self._max, self._options = source, max_seconds, options
        self._before = before
        self._minimum = stated_seconds(source)
        self._track = Track(source, options.audio_track)
        self.track = self._track.info
        _check_channels(self._track.stream.channels, options.channel)
        seconds = self._track.header_seconds or self._minimum
        # Headers may say less than there is, as where files were joined.
        self._believed = 1.1 * seconds + 10 if seconds and max_seconds else math.inf
        if max_seconds and (seconds is None or self._track.is_misled(seconds, max_seconds)):
            seconds = self._seconds_by_packets()
        self._check_limit(seconds or 0)
        self._found = 0  # samples at 16 kHz, silence included

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """Its samples, mono at 16 kHz, in pieces of about a second."""
        decoded = 0.0
        with damage_explained():
            for start, sound in self._stretches():
                yield from self._silence_until(round(start * SAMPLE_RATE))
                for piece in sound:
                    decoded += len(piece) / SAMPLE_RATE
                    self._count(len(piece))
                    yield piece
        if not decoded:
            raise AudioError("The file's audio track is empty, or nothing in it could be decoded.")
        if self._minimum is not None and decoded < self._minimum - slack(self._minimum):
            raise AudioError(
                "The file is cut off or damaged: "
                f"{decoded:.1f} of {self._minimum:.1f} seconds can be decoded."
            )
        for other in self._others:
            yield from self._joined(other)

    def close(self) -> None:
        """Close the container; the file stays open."""
        self._track.close()

    def _silence_until(self, position: int) -> Iterator[NDArray[np.int16]]:
        """The samples that are missing up to this one, a second at a time; all count first."""
        missing = position - self._found
        if missing > 0:
            self._count(missing)
        while missing > 0:
            yield np.zeros(min(missing, SAMPLE_RATE), np.int16)
            missing -= SAMPLE_RATE

    def _count(self, samples: int) -> None:
        self._found += samples
        seconds = self._found / SAMPLE_RATE
        if seconds > self._believed:
            self._believed = math.inf
            self._check_limit(self._seconds_by_packets())
        self._check_limit(seconds)

    def _seconds_by_packets(self) -> float:
        return packet_seconds(self._source, self._max, self._options.audio_track)

    def _joined(self, other: BinaryIO) -> Iterator[NDArray[np.int16]]:
        """The samples of a file behind this one."""
        before = self._before + self._found / SAMPLE_RATE
        with closing(AudioFile(other, self._max, self._options, before)) as audio:
            for piece in audio.pieces():
                self._found += len(piece)
                yield piece

    def _check_limit(self, seconds: float) -> None:
        seconds += self._before
        if self._max and seconds > self._max:
            raise AudioError(
                f"The recording is too long: {self._max} seconds are the most that is taken, and "
                f"it has {seconds:.2f} or more."
            )

    def _stretches(self) -> Iterator[tuple[float, Iterator[NDArray[np.int16]]]]:
        """Each stretch of sound without a hole: its start in seconds, and its samples."""
        timeline = self._track.begin(is_limited=self._max > 0)

        def start(frame: AudioFrame) -> float:
            # A rate that cannot be one is refused by the resampler.
            seconds = frame.samples / max(frame.sample_rate, 1)
            return timeline.stretch(self._track.time_of(frame), seconds)

        for begin, frames in groupby(self._frames(), start):
            yield begin, resampled(frames, SAMPLE_RATE, self._options.channel)

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in self._track.packets():
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except av.FFmpegError:
                continue
            yield from frames


def _check_channels(count: int, requested: int | None) -> None:
    if count > MAX_CHANNELS:
        raise AudioError(
            f"Audio with {count} channels is not supported: {MAX_CHANNELS} are the most."
        )
    if requested is not None and count and requested >= count:
        raise OptionError(
            "channel", f"The audio has no channel {requested}: it has {count}, counted from 0."
        )
