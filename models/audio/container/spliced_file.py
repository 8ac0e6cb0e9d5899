"""Spliced file: ranges of a file as a file of their own."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Range = tuple[int, int]


class SplicedFile(io.RawIOBase):
    """The bytes of these ranges, one behind the other; nothing is copied before it is read.

    `changes` are bytes that stand for others, by their position in the new file. The file below
    stays open when this one is closed, and its position is moved.
    """

    def __init__(
        self, file: BinaryIO, ranges: Sequence[Range], changes: Mapping[int, bytes] | None = None
    ) -> None:
        self._file, self._ranges, self._changes = file, ranges, changes or {}
        # where each range begins in the new file, and the end
        self._starts = [0, *accumulate(end - start for start, end in ranges)]
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go there; the new position from the beginning."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence, self._starts[-1])
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer from the range at the position; how many bytes there were."""
        if self._at >= self._starts[-1]:
            return 0
        view = memoryview(buffer).cast("B")
        number = bisect_right(self._starts, self._at) - 1
        start, end = self._ranges[number]
        start += self._at - self._starts[number]
        self._file.seek(start)
        data = self._file.read(min(len(view), end - start))
        view[: len(data)] = data
        for place, change in self._changes.items():
            _lay_over(view[: len(data)], place - self._at, change)
        self._at += len(data)
        return len(data)


def _lay_over(view: memoryview, place: int, change: bytes) -> None:
    """Write the part of `change` that lies within the view, when it begins at `place` of it."""
    start, end = max(0, place), min(len(view), place + len(change))
    if start < end:
        view[start:end] = change[start - place : end - place]
