"""Containers as FFmpeg opens them: only those that hold their own data, and how long they say."""

from __future__ import annotations

from contextlib import closing
from typing import BinaryIO

import av
import av.subtitles.stream  # av does so with the first container: then it may be too late
from av.container import InputContainer

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
    try:
        container = av.open(source, mode="r", metadata_errors="ignore", container_options=_OPTIONS)
    except MemoryError:
        raise
    except av.FFmpegError as error:
        raise AudioError(_UNREADABLE) from error
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


def packet_seconds(source: BinaryIO, enough: float) -> float:
    """How long the first audio track is by its packets, which are not decoded.

    Counts no further than to `enough`. Leaves the file where it was.
    """
    position, ticks = source.tell(), 0
    with closing(open_container(source)) as container:
        stream = container.streams.audio[0]
        tick = float(stream.time_base or 0)
        for packet in container.demux(stream):
            ticks += packet.duration or 0
            if ticks * tick > enough:
                break
    source.seek(position)
    return ticks * tick
