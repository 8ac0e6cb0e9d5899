"""Audio samples, and blocks of one length made of pieces of any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

# Mono, in [-1, 1], at `SAMPLE_RATE`.
Samples = NDArray[np.float32]


def blocks(pieces: Iterable[Samples], size: int) -> Iterator[Samples]:
    """The same samples in blocks of `size`, the last one smaller."""
    pending: list[Samples] = []
    length = 0
    for piece in pieces:
        rest = piece
        while length + len(rest) >= size:
            yield np.concatenate([*pending, rest[: size - length]])
            rest = rest[size - length :]
            pending, length = [], 0
        if len(rest):
            pending.append(rest)
            length += len(rest)
    if length:
        yield np.concatenate(pending)
