"""Container to samples: any audio or video file becomes mono float32 at 16 kHz, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from models.audio.container import header_seconds, open_container, packet_seconds
from models.audio.truncation import check_complete, stated_seconds
from models.errors import AudioError

Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000

# Outside of these a few header bytes could ask the resampler for gigabytes.
_MIN_RATE, _MAX_RATE = 1_000, 768_000


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

    How long it is said to be, by the header or by the packets, may be too long already.

    Raises:
        AudioError: as for `read`, or the recording is longer.
    """

    def __init__(self, source: BinaryIO, max_seconds: int = 0) -> None:
        check_complete(source)
        self._source, self._max = source, max_seconds
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
        if self._least is not None and found < self._least:
            raise AudioError(
                "The file is cut off or damaged: "
                f"{found:.1f} of {self._least:.1f} seconds can be decoded."
            )

    def close(self) -> None:
        """Close the container; the file stays open."""
        self._container.close()

    def _check_limit(self, seconds: float) -> None:
        if self._max and seconds > self._max:
            raise AudioError(
                f"The recording is too long: {self._max} seconds are the most that is taken, and "
                f"it has {seconds:.2f} or more."
            )

    def _samples(self) -> Iterator[NDArray[np.int16]]:
        try:
            yield from _resample(_frames(self._container))
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise AudioError("The file is damaged: its audio cannot be read to the end.") from error


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioError("The file's audio is in a codec that is not supported.")
    stream.codec_context.thread_count = 1
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            continue
        yield from frames


def _resample(frames: Iterable[AudioFrame]) -> Iterator[NDArray[np.int16]]:
    # Rate and layout may change midway (joined Ogg streams): each stretch has its own resampler.
    for (_, _, rate), stretch in groupby(frames, _layout):
        if not _MIN_RATE <= rate <= _MAX_RATE:
            raise AudioError(f"Audio with a sample rate of {rate} Hz is not supported.")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in chain(_joined(stretch, rate), (None,)):  # None: give out what is still inside
            for resampled in resampler.resample(frame):
                if resampled is not None:
                    yield resampled.to_ndarray()[0]


def _joined(frames: Iterable[AudioFrame], samples: int) -> Iterator[AudioFrame]:
    """The same audio in frames of that many samples and more: the resampler takes its time a frame.

    Codecs have frames of 10 to 100 ms.
    """
    fifo = AudioFifo()
    for frame in frames:
        frame.pts = None  # gaps between frames are nothing to the resampler
        fifo.write(frame)
        if fifo.samples >= samples and (joined := fifo.read()):
            yield joined
    if joined := fifo.read():
        yield joined


def _layout(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
