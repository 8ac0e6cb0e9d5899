"""Truncation check: a file against the length that its own container states."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

from models.audio.container.chunks import ChunkReader
from models.audio.container.demuxer import file_seconds, open_container
from models.audio.container.sections import UNKNOWN_FROM, Section, section_at
from models.errors import AudioError

# A header may be ahead of its sound by a recorder's buffer: by 32 KiB at 16 kHz in 16 bits. By no
# more than a third of a short recording, since half a text must not pass for all of it.
_SLACK_SECONDS, _SLACK_SHARE = 1.05, 1 / 3
# Some writers count the header too.
_SLACK_BYTES = 256
# Frames: the encoder's delay and padding are taken away again, some count the first frame.
_MP3_SLACK = 4

_ISO_NEEDED = {b"moov", b"moof", b"mdat"}
_ISO_OTHERS = {b"ftyp", b"styp", b"sidx", b"free", b"skip", b"wide", b"uuid", b"emsg", b"meta"}
_OGG_PAGE = 65_307
_AVI_HEAD = 8
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
# Of what stands before the sound.
_HEADER = 65_536
_LARGEST_FLV = 2.0**53
_MAX_CHUNKS = 100_000  # a file made of tiny chunks must not keep a worker busy


def slack(stated: float, a_second: float = 1.0) -> float:
    """The part of a stated length that may be missing: a second, and a third of it at most.

    `a_second` is a second in the unit of `stated`.
    """
    return min(_SLACK_SECONDS * a_second, _SLACK_SHARE * stated)


def check_complete(file: BinaryIO) -> None:
    """Refuses an empty file, and one that ends more than `slack` before the end its header states.

    Streams and live recordings state no length and pass.

    Raises:
        AudioError: how many bytes are there, and of how many.
    """
    size = file.seek(0, 2)
    if size == 0:
        raise AudioError("The file is empty.")
    section = section_at(ChunkReader(file, _MAX_CHUNKS), 0)
    end = section.end if section else _stated_end(file, size)
    if end is not None and end - size > _may_be_missing(file, size, section, end):
        raise AudioError(f"The file is cut off: {size} of at least {end} bytes are there.")


def _may_be_missing(file: BinaryIO, size: int, section: Section | None, end: int) -> float:
    """The bytes; none of a page or fragment, for it does not say what follows it."""
    if end <= size:
        return 0
    if section:
        a_second = section.bytes_per_second or _bytes_per_second(file, end)
        return max(_SLACK_BYTES, slack(end - section.start, a_second))
    return 0 if _is_fragmented(file) else slack(end, _bytes_per_second(file, end))


def _bytes_per_second(file: BinaryIO, size: int) -> float:
    """A mean over all tracks of a file that has this size when whole; 0: it cannot be told."""
    try:
        with closing(open_container(file)) as container:
            seconds = file_seconds(container)
    except AudioError:
        return 0
    return size / seconds if seconds else 0


def _is_fragmented(file: BinaryIO) -> bool:
    """True for a row of pages or fragments: Ogg, or MP4 as it is streamed."""
    if _read_at(file, 0, 4) == b"OggS":
        return True
    head = _read_at(file, 0, 12)
    return head[4:8] in _ISO_NEEDED | _ISO_OTHERS and any(
        kind == b"moof" for kind, _ in _iso_boxes(file)
    )


def stated_seconds(file: BinaryIO) -> float | None:
    """Seconds of audio that the header states at least: FLAC, MP3 and TTA do; None for others.

    Known to be there only after decoding: none of them states its length in bytes reliably.
    """
    head = _read_at(file, 0, 26)
    if head[:4] == b"TTA1":
        return _tta_seconds(head)
    if head[:4] == b"fLaC" and len(head) == 26:
        return _flac_seconds(head)
    start = 0
    if head[:3] == b"ID3" and len(head) == 26:
        # the tag's length is written in 7 bits a byte
        start = 10 + sum(byte << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
    return _mp3_seconds(_read_at(file, start, 64))


def _stated_end(file: BinaryIO, size: int) -> int | None:
    head = _read_at(file, 0, 12)
    if head[:4] == b"OggS":
        return _ogg_end(file, size)
    if head[:4] == b"\x1aE\xdf\xa3":
        return _matroska_end(file)
    if head[4:8] in _ISO_NEEDED | _ISO_OTHERS:
        return _iso_end(file, size)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        length = int.from_bytes(head[4:8], "little")
        return _AVI_HEAD + length if length < UNKNOWN_FROM else None
    if head[:4] == _ASF[:4]:
        return _asf_end(_read_at(file, 0, _HEADER))
    if head[:3] == b"FLV":
        return _flv_end(_read_at(file, 0, _HEADER))
    return None


def _asf_end(header: bytes) -> int | None:
    """The size in the file properties (ASF specification, 3.2), unless it is a broadcast."""
    at = header.find(_ASF_PROPERTIES)
    if at < 0 or len(header) < at + 92 or header[at + 88] & 1:
        return None
    return int.from_bytes(header[at + 40 : at + 48], "little")


def _flv_end(header: bytes) -> int | None:
    """The `filesize` of the metadata, which muxers write that can go back to the beginning."""
    found = re.search(rb"\x00\x08filesize\x00(.{8})", header, re.DOTALL)
    if not found:
        return None
    (size,) = struct.unpack(">d", found[1])
    return int(size) if 0 < size < _LARGEST_FLV else None


def _ogg_end(file: BinaryIO, size: int) -> int | None:
    """End of the last page (RFC 3533, section 6)."""
    start = max(0, size - _OGG_PAGE)
    tail = _read_at(file, start, _OGG_PAGE)
    page = tail.rfind(b"OggS\0")
    if page < 0:
        return None
    segments = tail[page + 26] if page + 26 < len(tail) else 255
    lengths = tail[page + 27 : page + 27 + segments]
    return start + page + 27 + segments + sum(lengths)


def _matroska_end(file: BinaryIO) -> int | None:
    """End of the segment (RFC 9559, section 4.5): live recordings leave its size unknown."""
    length, position = _vint(file, 4)
    segment = position + length
    if _read_at(file, segment, 4) != b"\x18\x53\x80\x67":
        return None
    length, position = _vint(file, segment + 4)
    unknown = (1 << 7 * (position - segment - 4)) - 1
    return position + length if length < unknown else None


def _vint(file: BinaryIO, position: int) -> tuple[int, int]:
    """A variable-size integer of EBML (RFC 8794, section 4), and the position behind it."""
    first = _read_at(file, position, 1)
    width = 9 - int.from_bytes(first).bit_length()
    value = int.from_bytes(_read_at(file, position, width))
    return value & ((1 << 7 * width) - 1), position + width


def _iso_end(file: BinaryIO, size: int) -> int | None:
    """End of the last box, if it is one that must be whole."""
    for kind, end in _iso_boxes(file):
        if end >= size:
            return end if kind in _ISO_NEEDED else None
    return None


def _iso_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and end of each box that an MP4 file has outside of others (ISO/IEC 14496-12, 4.2)."""
    position = 0
    for _ in range(_MAX_CHUNKS):
        head = _read_at(file, position, 16)
        kind, length = head[4:8], int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:])
        # length 0 means: to the end of the file
        if length < 8 or kind not in _ISO_NEEDED | _ISO_OTHERS:
            return
        position += length
        yield kind, position


def _flac_seconds(head: bytes) -> float | None:
    """Of the first metadata block (RFC 9639, section 8.2)."""
    rate = int.from_bytes(head[18:21]) >> 4
    samples = int.from_bytes(head[21:26]) & 0xF_FFFF_FFFF
    return samples / rate - 0.01 if rate and samples else None


def _tta_seconds(head: bytes) -> float | None:
    """Of the header: rate and samples, both in 32 bits."""
    rate, samples = (int.from_bytes(head[at : at + 4], "little") for at in (10, 14))
    return samples / rate if rate and samples else None


def _mp3_seconds(frame: bytes) -> float | None:
    """Of the Xing or Info frame that encoders put first."""
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = int.from_bytes(frame[at + 4 : at + 8])
    if frame[:1] != b"\xff" or at < 0 or not flags & 1:
        return None
    version, rate_index = frame[1] >> 3 & 3, frame[2] >> 2 & 3
    if version == 1 or rate_index == 3:  # reserved
        return None
    rate = (44_100, 48_000, 32_000)[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    samples_per_frame = 1152 if version == 3 else 576
    frames = int.from_bytes(frame[at + 8 : at + 12]) - _MP3_SLACK
    return frames * samples_per_frame / rate


def _read_at(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)
