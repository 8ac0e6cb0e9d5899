"""Shards: which rows a worker of several does, and in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bulk.row import Row

# Rows that are put in order together: the manifest is never in memory as a whole.
BLOCK = 1000


@dataclass(frozen=True)
class Shard:
    """The `index`-th of `count` shards, from 0. A row's shard goes by its id alone.

    So it stays where it is when rows are added to the manifest, or are put in another order.
    """

    index: int = 0
    count: int = 1

    @staticmethod
    def parsed(text: str) -> Shard:
        """`0/4` to `3/4`.

        Raises:
            ValueError: it is none of these.
        """
        index, mark, count = text.partition("/")
        if not (mark and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
            raise ValueError(f"{text!r} is no shard: 0/4 to 3/4 are those of four")
        return Shard(int(index), int(count))

    @property
    def worker(self) -> str:
        """The name of who does it, which its files have."""
        return "all" if self.count == 1 else f"{self.index}of{self.count}"

    def has(self, row_id: str) -> bool:
        """Whether the row of this id is in it."""
        if self.count == 1:
            return True
        digest = hashlib.blake2b(row_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.index


def longest_first(
    rows: Iterable[Row], lateness: Callable[[Row], int], block: int = BLOCK
) -> Iterator[Row]:
    """The rows, the longest of each block first: so a long one is not the last alone.

    Those of unknown duration stay in their order, behind the others. Before all that, rows of more
    `lateness` go behind those of less.
    """
    iterator = iter(rows)
    while taken := list(islice(iterator, block)):
        taken.sort(key=lambda row: (lateness(row), -(row.duration or 0.0)))
        yield from taken
