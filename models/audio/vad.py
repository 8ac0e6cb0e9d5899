"""Speech probabilities to spans: where in a recording somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.options import VoiceOptions

SAMPLE_RATE = 16_000
FRAME = 512  # samples a probability stands for

# Speech goes on until the probability is clearly under the threshold (silero-vad, utils_vad.py).
_HYSTERESIS = 0.15


@dataclass(frozen=True)
class Span:
    """A stretch of speech; `start` and `end` in samples."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Samples from start to end."""
        return self.end - self.start


def speech_spans(
    probabilities: NDArray[np.float32], length: int, options: VoiceOptions
) -> list[Span]:
    """The spans of a recording of `length` samples, in order and disjoint.

    `probabilities` are those of its frames of 512 samples, `[ceil(length / 512)]`. A span begins
    at the threshold and ends where `silence_duration_ms` without speech begin.
    """
    shortest = _frames(options.min_speech_duration_ms)
    return [
        Span(first * FRAME, min(end * FRAME, length))
        for first, end in _join(_stretches(probabilities, options.threshold), options)
        if end - first >= shortest
    ]


def _stretches(probabilities: NDArray[np.float32], threshold: float) -> Iterator[tuple[int, int]]:
    """First frame and end of each stretch that reaches the threshold and stays near it."""
    possible = probabilities >= min(threshold, max(threshold - _HYSTERESIS, 0.01))
    edges = np.flatnonzero(np.diff(possible, prepend=False, append=False))
    for first, end in edges.reshape(-1, 2).tolist():
        over = np.flatnonzero(probabilities[first:end] >= threshold)
        if len(over):
            yield first + int(over[0]), end


def _join(stretches: Iterator[tuple[int, int]], options: VoiceOptions) -> Iterator[tuple[int, int]]:
    pause = _frames(options.silence_duration_ms)
    current: tuple[int, int] | None = None
    for first, end in stretches:
        if current is not None and first - current[1] < pause:
            current = current[0], end
            continue
        if current is not None:
            yield current
        current = first, end
    if current is not None:
        yield current


def _frames(milliseconds: int) -> int:
    return -(-milliseconds * SAMPLE_RATE // (1000 * FRAME))
