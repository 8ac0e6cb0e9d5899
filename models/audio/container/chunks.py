"""Chunks of RIFF, W64, AIFF and CAF files: a name, a length, and bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Literal

from models.errors import AudioError

# Behind the names that W64 shares with RIFF stands the same end of a GUID.
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True)
class Chunk:
    """A chunk's name, its content from `start` to `end`, and where the next one begins."""

    name: bytes
    start: int
    end: int
    behind: int


@dataclass(frozen=True)
class ChunkForm:
    """The head of a format's chunks: bytes of name and length, their order, and the alignment."""

    name_size: int
    length_size: int
    order: Literal["little", "big"]
    alignment: int
    counts_head: bool = False

    @property
    def head_size(self) -> int:
        """Bytes before the content."""
        return self.name_size + self.length_size

    def length(self, content: int) -> bytes:
        """The length field of a chunk with so many bytes, or with as many as it can say."""
        maximum = (1 << 8 * self.length_size) - 1
        stated = content + (self.head_size if self.counts_head else 0)
        return min(stated, maximum).to_bytes(self.length_size, self.order)


RIFF = ChunkForm(4, 4, "little", 2)
RIFX = AIFF = ChunkForm(4, 4, "big", 2)
W64 = ChunkForm(16, 8, "little", 8, counts_head=True)
CAF = ChunkForm(4, 8, "big", 1)


class ChunkReader:
    """Chunks of a file, `maximum` in all: one made of tiny chunks must not keep a worker busy."""

    def __init__(self, file: BinaryIO, maximum: int) -> None:
        self._file, self._left = file, maximum
        self.size = file.seek(0, 2)

    def bytes_at(self, position: int, length: int) -> bytes:
        """The bytes there, fewer at the file's end."""
        self._file.seek(position)
        return self._file.read(length)

    def chunk(self, form: ChunkForm, position: int) -> Chunk | None:
        """The chunk whose head is there; None: there is no whole head.

        Raises:
            AudioError: there are too many.
        """
        if self._left <= 0:
            raise AudioError("The file is damaged, or made of too many parts to be read.")
        self._left -= 1
        head = self.bytes_at(position, form.head_size)
        if len(head) < form.head_size:
            return None
        name, start = head[: form.name_size], position + form.head_size
        length = int.from_bytes(head[form.name_size :], form.order)
        end = (position if form.counts_head else start) + length
        return Chunk(_short(name), start, end, end + (position - end) % form.alignment)


def _short(name: bytes) -> bytes:
    """A W64 name as RIFF has it; any other one as it is."""
    return name[:4] if name[4:] == _W64_TAIL else name
