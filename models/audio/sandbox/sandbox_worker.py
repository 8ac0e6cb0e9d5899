"""Sandbox worker: a child's work, which reads its one recording and sends the samples."""

from __future__ import annotations

import io
import json
import os
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, BinaryIO

from models.audio.load.load_audio import AudioFile
from models.audio.sandbox.messages import Kind, send
from models.audio.sandbox.rlimits import Limits
from models.audio_options import ReadOptions
from models.errors import AudioError, OptionError
from models.units import WINDOW_SAMPLES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TOO_MUCH_MEMORY = "The file takes too much memory to decode."

# What comes after a window's samples is read ahead of the engine: it gives way to it.
_NICENESS = 5
_BUFFER = 1 << 16


class SharedFile(io.RawIOBase):
    """A file that others have open, too: at a position of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go there; the new position from the beginning."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (os.fstat(self._descriptor).st_size if start is None else start)
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer; how many bytes there were."""
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, len(view), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def send_samples(limits: Limits, source: int, request: bytes, output: BinaryIO) -> None:
    """Send the samples of the recording of this descriptor, or what is wrong.

    `request` is `ReadOptions` as bytes.
    """
    file = io.BufferedReader(SharedFile(source), _BUFFER)
    try:
        options = ReadOptions.from_bytes(request)
        with closing(AudioFile(file, limits.max_seconds, options)) as audio:
            send(output, Kind.TRACK, json.dumps(asdict(audio.track)).encode())
            _send_pieces(audio, output)
    except AudioError as error:
        send(output, Kind.ERROR, error.message.encode())
    except OptionError as error:
        send(output, Kind.OPTION, json.dumps([error.option, error.message]).encode())
    except MemoryError:
        send(output, Kind.ERROR, TOO_MUCH_MEMORY.encode())
    send(output, Kind.END)


def _send_pieces(audio: AudioFile, output: BinaryIO) -> None:
    sent = 0
    for piece in audio.pieces():
        send(output, Kind.SAMPLES, piece.tobytes())
        if sent < WINDOW_SAMPLES <= sent + len(piece):
            os.nice(_NICENESS)
        sent += len(piece)
