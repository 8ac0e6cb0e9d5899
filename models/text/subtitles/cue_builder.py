"""Cue builder: segments split by dynamic programming, short cues joined or extended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from operator import itemgetter

from models.subtitle_options import USUAL_LINES, SubtitleOptions
from models.text.subtitles.cue_times import CueTimes, whole_milliseconds
from models.text.subtitles.line_break import BreakableText, break_cost, cheapest_cuts
from models.text.subtitles.line_units import Unit

# What a cue costs, beside the square of how full it is and the break after it, each 1 at most: so
# much that a segment is not cut into more cues than it needs, but for a far better break.
_CUE = 1.5


@dataclass(frozen=True)
class CueDraft:
    """The units of a cue and when it is shown."""

    units: tuple[Unit, ...]
    times: CueTimes


class CueBuilder:
    """Makes drafts within the limits of `options`."""

    def __init__(self, options: SubtitleOptions) -> None:
        self._options = options
        self._max_lines = options.max_line_count or USUAL_LINES
        longest, shortest = options.max_cue_duration, options.min_cue_duration
        self._longest = math.inf if longest is None else whole_milliseconds(longest)
        self._shortest = whole_milliseconds(shortest or 0.0)

    def split(self, units: Sequence[Unit]) -> list[CueDraft]:
        """A segment's units in drafts that are within the limits, from first word to last."""
        text = BreakableText(units, self._options)
        cuts = [0, len(units)]
        if not self._fits(text, CueTimes(units[0].times.start, units[-1].times.end)):
            cuts = cheapest_cuts(len(units), partial(self._costs, text))
        return [self._draft(tuple(units[a:b])) for a, b in pairwise(cuts)]

    def joined(self, drafts: Sequence[CueDraft], length: int) -> list[CueDraft]:
        """The drafts, where one cannot be held long enough joined with a neighbour if they fit."""
        left, i = list(drafts), 0
        while i < len(left):
            after = left[i + 1].times.start if i + 1 < len(left) else length
            is_short = after - left[i].times.start < self._shortest
            best = self._best_join(left, i) if is_short else None
            if best:
                i, both = best
                left[i : i + 2] = [both]
            else:
                i += 1
        return left

    def extended(self, drafts: Sequence[CueDraft], length: int) -> list[CueDraft]:
        """The drafts, the short ones extended into the pause after them."""
        ends = [*(draft.times.start for draft in drafts[1:]), length]
        return [self._extended(draft, end) for draft, end in zip(drafts, ends, strict=False)]

    def _extended(self, draft: CueDraft, latest: int) -> CueDraft:
        start, end = draft.times.start, draft.times.end
        return replace(draft, times=CueTimes(start, max(end, min(start + self._shortest, latest))))

    def _draft(self, units: tuple[Unit, ...]) -> CueDraft:
        start, end = units[0].times.start, units[-1].times.end
        return CueDraft(units, CueTimes(start, int(min(end, start + self._longest))))

    def _fits(self, text: BreakableText, times: CueTimes) -> bool:
        lines = max(text.line_counts(0))
        return times.end - times.start <= self._longest and lines <= self._max_lines

    def _costs(self, text: BreakableText, first: int) -> Iterator[float]:
        """The costs of drafts of one unit from `first` on, of two, and so on."""
        start = text.units[first].times.start
        for after, lines in enumerate(text.line_counts(first), start=first + 1):
            lasts = text.units[after - 1].times.end - start
            if after - first > 1 and (lines > self._max_lines or lasts > self._longest):
                return
            fill = max(text.fill(first, after) / self._max_lines, lasts / self._longest)
            yield _CUE + min(fill, 1.0) ** 2 + text.break_costs[after]

    def _best_join(self, drafts: Sequence[CueDraft], at: int) -> tuple[int, CueDraft] | None:
        """The draft joined with the one before or after, and the place of the first of the two.

        Where both can be it is the one that is the worse to break off from, else the shorter one.
        """
        found: list[tuple[float, int, int, CueDraft]] = []
        for i in range(max(at - 1, 0), min(at + 1, len(drafts) - 1)):
            first, second = drafts[i], drafts[i + 1]
            both = CueDraft(
                first.units + second.units, CueTimes(first.times.start, second.times.end)
            )
            pause = second.times.start - first.times.end
            if pause < self._shortest and self._fits(
                BreakableText(both.units, self._options), both.times
            ):
                cost = break_cost(first.units[-1], second.units[0])
                found.append((cost, both.times.start - both.times.end, i, both))
        return max(found, key=itemgetter(0, 1))[2:] if found else None
