"""Container to samples: any audio or video file becomes mono float32 at 16 kHz, piece by piece."""

from __future__ import annotations

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

from models.audio.truncation import check_complete, stated_seconds
from models.errors import AudioError

Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000

# Only containers that hold their own data: no playlist, script or device can be opened, and what
# is opened can reach no other file or address.
_CONTAINERS = (
    "aac,ac3,aiff,amr,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}

# Outside of these a few header bytes could ask the resampler for gigabytes.
_MIN_RATE, _MAX_RATE = 1_000, 768_000

_UNREADABLE = (
    "The file could not be decoded: it is damaged, or not audio or video in a supported format "
    "(flac, m4a, mp3, mp4, mpeg, mpga, oga, ogg, opus, wav, webm)."
)


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
    check_complete(source)
    seconds = stated_seconds(source)
    found = 0
    for piece in _read(source):
        found += len(piece)
        yield piece.astype(np.float32) / np.float32(32768)
    if not found:
        raise AudioError("The file's audio track is empty, or nothing in it could be decoded.")
    _check_duration(found / SAMPLE_RATE, seconds)


def _check_duration(found: float, stated: float | None) -> None:
    if stated is not None and found < stated:
        raise AudioError(
            f"The file is cut off or damaged: {found:.1f} of {stated:.1f} seconds can be decoded."
        )


def _read(source: BinaryIO) -> Iterator[NDArray[np.int16]]:
    with closing(_open(source)) as container:
        if not container.streams.audio:
            raise AudioError("The file has no audio track.")
        try:
            yield from _resample(_frames(container))
        except av.FFmpegError as error:
            raise AudioError("The file is damaged: its audio cannot be read to the end.") from error


def _open(source: BinaryIO) -> InputContainer:
    source.seek(0)
    try:
        return av.open(source, mode="r", metadata_errors="ignore", container_options=_OPTIONS)
    except av.FFmpegError as error:
        raise AudioError(_UNREADABLE) from error


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioError("The file's audio is in a codec that is not supported.")
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
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
