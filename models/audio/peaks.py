"""Waveform peaks: the least and the greatest sample of each twentieth of a second."""

from __future__ import annotations

import numpy as np

from models.audio.samples import Samples
from models.units import SAMPLE_RATE

PER_SECOND = 20
# What is longer has no more of them: two bytes each, 5 MB.
MAX_SECONDS = 36 * 3600
_SIZE = SAMPLE_RATE // PER_SECOND


class Peaks:
    """Made of samples as they are read; those of a second pass are known already."""

    def __init__(self) -> None:
        self._found = bytearray()
        self._rest: Samples = np.zeros(0, np.float32)
        self._length = 0

    def add(self, start: int, samples: Samples) -> None:
        """The samples from `start` on, which are next or have been there."""
        if start != self._length or start >= MAX_SECONDS * SAMPLE_RATE:
            return
        self._length += len(samples)
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // _SIZE * _SIZE
        self._found += _pairs(samples[:whole].reshape(-1, _SIZE))
        self._rest = samples[whole:].copy()

    def to_bytes(self) -> bytes:
        """Pairs of int8, least and greatest of each; 127 is full scale."""
        rest = _pairs(self._rest.reshape(1, -1)) if len(self._rest) else b""
        return bytes(self._found) + rest


def _pairs(blocks: Samples) -> bytes:
    pairs = np.stack([blocks.min(axis=1), blocks.max(axis=1)], axis=1)
    return bytes(np.clip(np.rint(pairs * 127), -127, 127).astype(np.int8).tobytes())
