"""Container to samples: any audio or video file becomes mono float32 at 16 kHz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.container import InputContainer

from models.audio.truncation import check_complete, stated_seconds
from models.errors import AudioError

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


def load(source: BinaryIO | Path) -> npt.NDArray[np.float32]:
    """Samples in [-1, 1], `[samples]`, of the first audio track of a file.

    `source` is a path or a seekable binary file; the format is told by content. Mixing and
    resampling are libswresample's defaults in 16 bits, as in openai-whisper's `whisper/audio.py`;
    a packet that cannot be decoded is left out, as ffmpeg does.

    Raises:
        AudioError: the file is empty, cut off, of no known format, or has no readable audio.
        OSError: the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return load(file)
    check_complete(source)
    seconds = stated_seconds(source)
    pieces = list(_read(source))
    if not sum(map(len, pieces)):
        raise AudioError("The file's audio track is empty, or nothing in it could be decoded.")
    samples = np.concatenate(pieces).astype(np.float32)
    samples /= 32768.0
    _check_duration(len(samples) / SAMPLE_RATE, seconds)
    return samples


def _check_duration(found: float, stated: float | None) -> None:
    if stated is not None and found < stated:
        raise AudioError(
            f"The file is cut off or damaged: {found:.1f} of {stated:.1f} seconds can be decoded."
        )


def _read(source: BinaryIO) -> Iterator[npt.NDArray[np.int16]]:
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


def _resample(frames: Iterable[AudioFrame]) -> Iterator[npt.NDArray[np.int16]]:
    # Rate and layout may change midway (joined Ogg streams): each stretch has its own resampler.
    for (_, _, rate), stretch in groupby(frames, _layout):
        if not _MIN_RATE <= rate <= _MAX_RATE:
            raise AudioError(f"Audio with a sample rate of {rate} Hz is not supported.")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in chain(stretch, (None,)):  # None: give out what is still inside
            for resampled in resampler.resample(frame):
                if resampled is not None:
                    yield resampled.to_ndarray()[0]


def _layout(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
