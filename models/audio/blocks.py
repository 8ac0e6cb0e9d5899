"""Pieces of any length to blocks of one length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def blocks(pieces: Iterable[Samples], size: int) -> Iterator[Samples]:
    """The same samples in blocks of that many, the last one smaller."""
    held: list[Samples] = []
    length = 0
    for piece in pieces:
        rest = piece
        while length + len(rest) >= size:
            yield np.concatenate([*held, rest[: size - length]])
            rest = rest[size - length :]
            held, length = [], 0
        if len(rest):
            held.append(rest)
            length += len(rest)
    if length:
        yield np.concatenate(held)
