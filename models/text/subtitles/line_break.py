"""Line breaks by dynamic programming: few lines of like length, broken after punctuation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, starmap

from models.subtitle_options import SubtitleOptions
from models.text.sentences import SENTENCE_ENDS, last_mark
from models.text.subtitles.line_units import Unit

_CLAUSE_ENDS = frozenset(",;:、，；：،؛–—")  # noqa: RUF001 (all are meant)
# A pause of as many milliseconds halves what a break costs.
_PAUSE = 500

# What a line costs, more than all that can be won by another: as few as will do.
_LINE = 1_000.0
# What a break in the midst of a clause costs, beside the squares of how full the lines are.
_BREAK = 0.2


class BreakableText:
    """Units one after the other, to be divided; `limits` say what fits a line.

    `break_costs` are those of a break before each unit, and at the end.
    """

    def __init__(self, units: Sequence[Unit], limits: SubtitleOptions) -> None:
        self.units = units
        self.break_costs = [0.0, *starmap(break_cost, pairwise(units)), 0.0]
        self._max_places = limits.max_line_width or math.inf
        self._max_words = limits.max_words_per_line or math.inf
        widths = (unit.width + unit.is_spaced for unit in units)
        self._places = list(accumulate(widths, initial=0))

    def fill(self, first: int, after: int) -> float:
        """The share of a line that a range of units takes: 1 is all of it."""
        places = self._places[after] - self._places[first] - self.units[first].is_spaced
        return max(places / self._max_places, (after - first) / self._max_words)

    def line_counts(self, first: int) -> Iterator[int]:
        """The fewest lines for one unit from `first` on, for two, and so on."""
        line, count = first, 1
        for after in range(first + 1, len(self.units) + 1):
            if after - line > 1 and self.fill(line, after) > 1:
                line, count = after - 1, count + 1
            yield count

    def lines(self) -> tuple[Sequence[Unit], ...]:
        """All of it in as few lines as it fits."""
        if self.fill(0, len(self.units)) <= 1:
            return (self.units,)
        cuts = cheapest_cuts(len(self.units), self._line_costs)
        return tuple(self.units[a:b] for a, b in pairwise(cuts))

    def _line_costs(self, first: int) -> Iterator[float]:
        for after in range(first + 1, len(self.units) + 1):
            fill = self.fill(first, after)
            if fill > 1 and after - first > 1:
                return
            yield _LINE + min(fill, 1.0) ** 2 + _BREAK * self.break_costs[after]


def break_cost(last: Unit, after: Unit) -> float:
    """The cost of a break between two units: 0 after a sentence, 1 in the midst of a clause."""
    end = last_mark(last.text)
    cost = 0.0 if end in SENTENCE_ENDS else 0.4 if end in _CLAUSE_ENDS else 1.0
    pause = max(after.times.start - last.times.end, 0)
    return cost / (1 + pause / _PAUSE)


def joined(units: Sequence[Unit]) -> str:
    """The units' text in one line."""
    first, *rest = units
    return first.text + "".join(" " * unit.is_spaced + unit.text for unit in rest)


def cheapest_cuts(count: int, costs: Callable[[int], Iterable[float]]) -> list[int]:
    """The cheapest partition of `count` things, by dynamic programming.

    `costs(first)` are those of the parts that begin there: of one thing, of two, as far as they
    are allowed; one always is.

    Returns:
        Where the parts begin, and `count`.
    """
    best, before = [0.0] + [math.inf] * count, [0] * (count + 1)
    for first in range(count):
        for after, cost in enumerate(costs(first), start=first + 1):
            if best[first] + cost < best[after]:
                best[after], before[after] = best[first] + cost, first
    cuts = [count]
    while cuts[-1]:
        cuts.append(before[cuts[-1]])
    return cuts[::-1]
