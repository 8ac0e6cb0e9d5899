"""File boundaries within FLAC, Matroska and MP4 files joined in a row: FFmpeg leaves some out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.audio.container.chunks import ChunkReader

# The first metadata block stands first, and has 34 bytes (RFC 9639, section 8).
_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
# The head of an EBML file, and the kind of document in it (RFC 9559, section 4.3).
_MATROSKA = re.compile(rb"\x1a\x45\xdf\xa3.{1,64}?\x42\x82.(?:webm|matroska)", re.DOTALL)
_HEAD_SIZE = 80
_BOX_HEAD, _MAX_BOXES = 8, 100_000
_BLOCK = 1 << 20


def boundaries(reader: ChunkReader) -> list[int]:
    """The positions of files in a row of FLAC, Matroska or MP4 ones; 0 alone for any other file."""
    head = reader.bytes_at(0, _HEAD_SIZE)
    for pattern in (_FLAC, _MATROSKA):
        if pattern.match(head):
            return list(_all(reader, pattern))
    return _iso(reader) if head[4:8] == b"ftyp" else [0]


def _all(reader: ChunkReader, head: re.Pattern[bytes]) -> Iterator[int]:
    for position in range(0, reader.size, _BLOCK):
        for found in head.finditer(reader.bytes_at(position, _BLOCK + _HEAD_SIZE)):
            if found.start() < _BLOCK:
                yield position + found.start()


def _iso(reader: ChunkReader) -> list[int]:
    """By the boxes of the file (ISO/IEC 14496-12, section 4.2): a second `ftyp` begins another."""
    found, seen, position = [0], set[bytes](), 0
    for _ in range(_MAX_BOXES):
        head = reader.bytes_at(position, 16)
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:])
        if length < _BOX_HEAD:
            break
        if kind == b"ftyp" and {b"moov", b"mdat"} <= seen:
            found.append(position)
            seen.clear()
        seen.add(kind)
        position += length
    return found
