"""Speech spans of a recording: voice activity detection by a threshold with hysteresis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.options import VoiceOptions
from models.units import SAMPLE_RATE, VAD_FRAME

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


def speech_between(spans: Iterable[Span], start: int, end: int) -> int:
    """The samples of speech between two places; the spans are in order."""
    speech = 0
    for span in spans:
        if span.start >= end:
            break
        speech += max(0, min(span.end, end) - max(span.start, start))
    return speech


class SpanFinder:
    """Finds a recording's spans while it is being read.

    A span begins at the threshold and ends where `silence_duration_ms` without speech begin.
    `open` is the one that may still grow, of those read so far; `probabilities` are kept from
    frame `first` on, no more of them than the latest spans need.
    """

    def __init__(self, options: VoiceOptions) -> None:
        self._options = options
        self.probabilities = np.zeros(0, np.float32)
        self.first = 0
        self.open: Span | None = None

    @property
    def known(self) -> int:
        """The sample before which no further span begins."""
        return self.open.start if self.open else self._read * VAD_FRAME

    @property
    def _read(self) -> int:
        return self.first + len(self.probabilities)

    def feed(self, probabilities: NDArray[np.float32], length: int | None = None) -> list[Span]:
        """The spans that are over, once these probabilities of the next frames are known.

        With the recording's last ones comes its `length` in samples: then all are over.
        """
        first = self.known // VAD_FRAME
        self.probabilities = np.concatenate(
            [self.probabilities[first - self.first :], probabilities]
        )
        self.first = first
        stretches = _stretches(self.probabilities, self._options.threshold)
        spans = [
            Span((self.first + a) * VAD_FRAME, (self.first + b) * VAD_FRAME)
            for a, b in _join(stretches, self._options)
        ]
        self.open = None
        if length is None and spans and self._may_grow(spans[-1]):
            self.open = spans.pop()
        shortest = _frames(self._options.min_speech_duration_ms) * VAD_FRAME
        end = self._read * VAD_FRAME if length is None else length
        return [Span(s.start, min(s.end, end)) for s in spans if s.length >= shortest]

    def _may_grow(self, span: Span) -> bool:
        pause = max(1, _frames(self._options.silence_duration_ms))
        return span.end // VAD_FRAME + pause > self._read


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
    return -(-milliseconds * SAMPLE_RATE // (1000 * VAD_FRAME))
