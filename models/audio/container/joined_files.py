"""Joined files: several in a row, or more sound than the header states.

Each is read by one rule: what lies behind the stated end is further chunks of the same file, the
next file, or more of the sound.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import BinaryIO

from models.audio.container.chunks import ChunkReader
from models.audio.container.file_boundaries import boundaries
from models.audio.container.sections import HEAD, HEAD_SIZE, MARKS, Section, section_at
from models.audio.container.spliced_file import Range, SplicedFile
from models.errors import AudioError

# What follows a file's sound is at least that much if it is sound: there are tags of 128 bytes.
_IGNORED = 256
_BLOCK, _BUFFER = 1 << 20, 1 << 16
_FEW_CHUNKS, _MAX_CHUNKS = 1_000, 100_000
_MAX_AIFF = 0xFFFF_FF00
# Chunks that stand behind the sound. Others count only if they lead to the file's end.
_KNOWN = {b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"JUNK", b"PAD ", b"FLLR", b"smpl"}
_KNOWN |= {b"inst", b"PEAK", b"iXML", b"axml", b"chna", b"cart", b"_PMX", b"DISP", b"acid", b"afsp"}


@dataclass(frozen=True)
class Recording:
    """A section's header, all the sound that belongs to it, and where the next file begins."""

    section: Section
    ranges: tuple[Range, ...]
    following: int

    @property
    def whole(self) -> Range:
        """From its header to the next file."""
        return self.section.position, self.following

    @property
    def size(self) -> int:
        """Bytes of sound."""
        return sum(end - start for start, end in self.ranges)

    @property
    def is_as_stated(self) -> bool:
        """True if its header tells FFmpeg where the sound ends, or that the file is cut off."""
        return len(self.ranges) == 1 and self.ranges[0] == (self.section.start, self.section.end)


def parts(file: BinaryIO) -> list[BinaryIO]:
    """The recordings in a file, each as a file that states its whole length.

    Recordings of the same kind of sound are one. It is the file itself in all but a few cases.

    Raises:
        AudioError: there is something behind the sound that cannot be read on.
    """
    found = list(recordings(file))
    if not found:
        return _slices(file)
    found = [each for each in found if each.size] or found[:1]
    if len(found) == 1 and found[0].is_as_stated and not found[0].section.position:
        return [file]
    kinds = groupby(found, lambda each: each.section.description)
    return [each for _, same in kinds for each in _files(file, list(same))]


def recordings(file: BinaryIO, quick: bool = False) -> Iterator[Recording]:
    """The recordings of a file that `section_at` knows; none in any other file.

    The last one's stated end may lie behind the end of the file. `quick`: where no length leads to
    the next header, it is not searched for, and few chunks are looked at.

    Raises:
        AudioError: as for `parts`.
    """
    reader = ChunkReader(file, _FEW_CHUNKS if quick else _MAX_CHUNKS)
    position: int | None = 0
    while position is not None:
        section = section_at(reader, position)
        if section is None:
            if position:
                raise AudioError("The file is damaged: another one in it has no sound.")
            return
        ranges, position = _extent(reader, section, quick)
        yield Recording(section, ranges, reader.size if position is None else position)


def _extent(
    reader: ChunkReader, section: Section, quick: bool
) -> tuple[tuple[Range, ...], int | None]:
    """The ranges of a section's sound, and the position of the next file."""
    start, end = section.start, section.end
    if end is not None and end >= reader.size:
        return ((start, end),), None
    # beyond 4 GiB the length in a field of 32 bits begins again at 0
    for last in range(end or 0, reader.size + 1, 1 << 32) if end is not None else ():
        if known := _chunks_behind(reader, section, last):
            more, following = known
            return ((start, last), *more), following
    following = None if quick else next_head(reader, start if end is None else end)
    last = reader.size if following is None else following
    if end is not None and last - end <= _IGNORED:
        last = end
    return ((start, last),), following


def _chunks_behind(
    reader: ChunkReader, section: Section, end: int
) -> tuple[list[Range], int | None] | None:
    """More sound in chunks behind the first, and the next file; None: there are no chunks."""
    more: list[Range] = []
    position, is_known = end + section.padding, False
    while position < reader.size:
        if HEAD.match(reader.bytes_at(position, HEAD_SIZE)):
            return more, position
        chunk = reader.chunk(section.chunks, position) if section.chunks else None
        is_known |= chunk is not None and chunk.name in _KNOWN
        if chunk is None or chunk.end > reader.size or not _is_name(chunk.name):
            return (more, next_head(reader, position)) if is_known else None
        if chunk.name == b"data":
            more.append((chunk.start, chunk.end))
        position = chunk.behind
    return more, None


def _is_name(name: bytes) -> bool:
    return name.isascii() and name.decode("latin-1").isprintable()


def next_head(reader: ChunkReader, position: int) -> int | None:
    """The position of the next file, from `position` on; None: there is no other."""
    while position < reader.size:
        block = reader.bytes_at(position, _BLOCK + HEAD_SIZE)
        heads = [at for mark, place in MARKS for at in _heads(block, mark, place)]
        if heads:
            return position + min(heads)
        position += _BLOCK
    return None


def _heads(block: bytes, mark: bytes, place: int) -> Iterator[int]:
    """The start of the first header that has the mark at `place`."""
    at = block.find(mark, place)
    while 0 <= at < _BLOCK + place:
        if HEAD.match(block, at - place):
            yield at - place
            return
        at = block.find(mark, at + 1)


def _files(file: BinaryIO, same: list[Recording]) -> list[BinaryIO]:
    """Recordings of the same kind as one file; as they are, if their sound cannot be joined."""
    section = same[0].section
    if not section.block:
        if not all(each.is_as_stated or each.section.end is None for each in same):
            raise AudioError(
                "The file holds more sound than its header says, and cannot be read on."
            )
        return [opened(SplicedFile(file, [each.whole])) for each in same]
    size, there = sum(each.size for each in same), file.seek(0, 2)
    if section.description[:4] == b"AIFF" and size > _MAX_AIFF:
        raise AudioError("An AIFF file of more than 4 GiB is not supported.")
    sound = [(start, min(end, there)) for each in same for start, end in each.ranges]
    # half a block would shift all that follows
    sound = [(start, end - (end - start) % section.block) for start, end in sound]
    head = (section.position, section.start)
    return [opened(SplicedFile(file, [head, *sound], section.changes(size)))]


def _slices(file: BinaryIO) -> list[BinaryIO]:
    reader = ChunkReader(file, _MAX_CHUNKS)
    starts = boundaries(reader)
    if len(starts) < 2:
        return [file]
    return [opened(SplicedFile(file, [each])) for each in pairwise([*starts, reader.size])]


def opened(file: SplicedFile) -> BinaryIO:
    """The same for many small reads."""
    return io.BufferedReader(file, _BUFFER)
