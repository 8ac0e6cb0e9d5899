"""Containers as FFmpeg opens them: only those with their own data, how long they say, packets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import BinaryIO

import av
import av.subtitles.stream  # av does so with the first container: then it may be too late
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from models.errors import AudioError

# No playlist, script or device can be opened, and what is opened can reach no other file or
# address.
_CONTAINERS = (
    "aac,ac3,aiff,amr,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}

# Frames without a header over them: FFmpeg takes the first one's bit rate for that of all.
_GUESSED = {"aac", "ac3", "amr", "eac3", "mp3"}

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
        container = av.open(source, mode="r", metadata_errors="ignore", container_options=_OPTIONS)
    if not container.streams.audio:
        container.close()
        raise AudioError("The file has no audio track.")
    return container


def header_seconds(container: InputContainer) -> float | None:
    """How long the first audio track is, as the header says it; None: it does not."""
    stream = container.streams.audio[0]
    if container.format.name in _GUESSED:
        return None
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    return seconds if seconds > 0 else None


def packets(container: InputContainer) -> Iterator[Packet[AudioStream]]:
    """The packets of the first audio track, at last an empty one that flushes its decoder.

    Raises:
        AudioError: there is damage that no packet can be found behind.
    """
    with damage_explained():
        try:
            yield from container.demux(container.streams.audio[0])
        except IndexError:
            # At the end PyAV flushes streams that have begun since it opened the file, too, and
            # does not know them; ours has been flushed before.
            return


def packet_seconds(source: BinaryIO, enough: float) -> float:
    """How long the first audio track is by its packets, which are not decoded.

    Counts no further than to `enough`. Leaves the file where it was.

    Raises:
        AudioError: as for `open_container` and `packets`.
    """
    position, ticks = source.tell(), 0
    with closing(open_container(source)) as container:
        stream = container.streams.audio[0]
        tick = float(stream.time_base or 0)
        for packet in packets(container):
            ticks += packet.duration or 0
            if ticks * tick > enough:
                break
    source.seek(position)
    return ticks * tick


def file_seconds(container: InputContainer) -> float | None:
    """How long the longest of all tracks is, as FFmpeg takes it from headers or last packets."""
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
