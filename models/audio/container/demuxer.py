"""Demuxer: FFmpeg's containers, only those with their own data and decoders of sound alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO

import av
import av.subtitles.stream  # av does so with the first container: then it may be too late
from av.container import InputContainer

from models.audio.container.formats import CONTAINER_OPTIONS
from models.errors import AudioError

_UNREADABLE = (
    "The file could not be decoded: it is damaged, or not audio or video in a supported format "
    "(flac, m4a, mp3, mp4, mpeg, mpga, oga, ogg, opus, wav, webm)."
)


def open_container(source: BinaryIO) -> InputContainer:
    """The container in a seekable file, told by its content, with an audio track.

    Raises:
        AudioError: it is damaged, none of those we know, or without audio.
    """
    source.seek(0)
    with _explained(_UNREADABLE):
        container = av.open(
            source, mode="r", metadata_errors="ignore", container_options=CONTAINER_OPTIONS
        )
    if not container.streams.audio:
        container.close()
        raise AudioError("The file has no audio track.")
    return container


def file_seconds(container: InputContainer) -> float | None:
    """The seconds of the longest track, as FFmpeg takes them from headers or last packets."""
    return (container.duration or 0) / av.time_base or None


def damage_explained() -> AbstractContextManager[None]:
    """Turn what FFmpeg says of a file that was opened into one clear line.

    Raises:
        AudioError: the block failed for the file's content.
    """
    return _explained("The file is damaged: its audio cannot be read to the end.")


@contextmanager
def _explained(message: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:  # of which FFmpeg has its own, among its errors
        raise
    except av.FFmpegError as error:
        raise AudioError(message) from error
