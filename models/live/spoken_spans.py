"""Where a turn is spoken: its spans of speech and the pauses between them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from models.units import SAMPLE_RATE

# The shortest pause, 96 ms, and one that is as good as any longer one; in samples.
_PAUSE = 96 * SAMPLE_RATE // 1000
_LONG = SAMPLE_RATE // 2
# Silence behind a word that may still be a part of it.
_TAIL = 3 * SAMPLE_RATE // 10


class SpokenSpans:
    """Where a turn is spoken, in its samples."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    @property
    def end(self) -> int:
        """The end of the last word so far."""
        return self._spans[-1][1] if self._spans else 0

    @property
    def tail_end(self) -> int:
        """The end of the silence that is kept behind the last word."""
        return self.end + _TAIL

    def add(self, start: int, end: int) -> None:
        """Somebody speaks from `start` to `end`."""
        if self._spans and self._spans[-1][1] >= start:
            start = self._spans.pop()[0]
        self._spans.append((start, end))

    def put_before(self, spans: Iterable[tuple[int, int]]) -> None:
        """Spans that lie before all others."""
        self._spans = [*spans, *self._spans]

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """The spans between two places."""
        inside = ((max(a, start), min(b, end)) for a, b in self._spans)
        return [(a, b) for a, b in inside if a < b]

    def between(self, start: int, end: int) -> int:
        """Samples of speech between two places."""
        return sum(b - a for a, b in self.spans(start, end))

    def pauses(self, start: int, end: int) -> list[tuple[int, int]]:
        """The pauses between two places that are no dip within a word: from where to where."""
        gaps = ((before[1], after[0]) for before, after in pairwise(self._spans))
        return [(a, b) for a, b in gaps if b - a >= _PAUSE and start <= (a + b) // 2 <= end]

    def pause_in(self, start: int, end: int) -> int | None:
        """The middle of the longest pause between two places, of the last of such."""
        pauses = self.pauses(start, end)
        if not pauses:
            return None
        a, b = max(pauses, key=lambda pause: (min(pause[1] - pause[0], _LONG), pause[0]))
        return (a + b) // 2

    def drop_before(self, place: int) -> None:
        """Forget what lies before, but for the last span."""
        self._spans = [s for s in self._spans[:-1] if s[1] > place] + self._spans[-1:]
