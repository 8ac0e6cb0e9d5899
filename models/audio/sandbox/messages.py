"""Messages from a sandboxed child: a kind, and bytes."""

from __future__ import annotations

import struct
from enum import Enum
from typing import BinaryIO

_HEAD = struct.Struct("<cI")


class Kind(bytes, Enum):
    """The kind of a message, by its first byte."""

    TRACK = b"T"  # JSON: the `AudioTrack` whose samples follow
    SAMPLES = b"S"  # int16, mono at 16 kHz
    OPTION = b"O"  # JSON: option and message of an OptionError
    ERROR = b"E"  # the message of an AudioError
    END = b"."  # none: that was all


def send(output: BinaryIO, kind: Kind, content: bytes = b"") -> None:
    """Write one message."""
    output.write(_HEAD.pack(kind.value, len(content)) + content)
    output.flush()


def receive(source: BinaryIO) -> tuple[Kind, bytes]:
    """The next message.

    Raises:
        EOFError: there is no whole one.
    """
    kind, length = _HEAD.unpack(_exactly(source, _HEAD.size))
    return Kind(kind), _exactly(source, length)


def _exactly(source: BinaryIO, length: int) -> bytes:
    content = source.read(length)
    if len(content) < length:
        raise EOFError
    return content
