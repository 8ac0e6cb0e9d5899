"""Cue times in order, without overlaps, and within the recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class CueTimes:
    """From when to when something is said or shown, in milliseconds of the recording."""

    start: int
    end: int

    @classmethod
    def of(cls, start: float, end: float) -> CueTimes:
        """The times in seconds, rounded."""
        return cls(round(start * 1000), round(end * 1000))


def whole_milliseconds(seconds: float) -> int:
    """As many whole milliseconds as there are in `seconds`."""
    # 1.001 * 1000 is a little less than 1001; seconds are not known to the microsecond.
    return round(seconds * 1_000_000) // 1000


def in_order(times: Sequence[CueTimes], sizes: Sequence[int], length: int) -> list[CueTimes]:
    """The times in the order given, each a millisecond or longer, none before the last has ended.

    What is so already stays as it is. All end within `length` milliseconds; what would begin only
    there is moved before it. Where one would begin no later than the one before, the two share
    their time in proportion to `sizes`, which are positive. A recording of fewer milliseconds
    than there are times is taken for one of as many.
    """
    length = max(length, len(times))
    moved = [_moved_within(each, length) for each in times]
    shared: list[CueTimes] = []
    for first, after in _runs(moved):
        end = moved[after].start if after < len(moved) else length
        shared += _shared(moved[first:after], sizes[first:after], end)
    return _apart(shared, length)


def _moved_within(times: CueTimes, length: int) -> CueTimes:
    late = max(times.start, times.end) - length if times.start >= length else 0
    start = max(times.start - late, 0)
    return CueTimes(start, max(start, min(times.end, length)))


def _runs(times: Sequence[CueTimes]) -> Iterator[tuple[int, int]]:
    """Ranges of those that begin no later than the first of them."""
    first = 0
    for i in range(1, len(times) + 1):
        if i == len(times) or times[i].start > times[first].start:
            yield first, i
            first = i


def _shared(times: Sequence[CueTimes], sizes: Sequence[int], end: int) -> Sequence[CueTimes]:
    if len(times) == 1:
        return times
    start = times[0].start
    taken = max(start, min(end, max(each.end for each in times))) - start
    whole = sum(sizes)
    marks = [start + taken * size // whole for size in accumulate(sizes, initial=0)]
    return list(map(CueTimes, marks, marks[1:]))


def _apart(times: Sequence[CueTimes], length: int) -> list[CueTimes]:
    starts: list[int] = []
    for each in times:
        starts.append(max(each.start, starts[-1] + 1 if starts else 0))
    apart: list[CueTimes] = []
    after = length
    for start, each in zip(reversed(starts), reversed(times), strict=True):
        start = min(start, after - 1)
        apart.append(CueTimes(start, min(max(each.end, start + 1), after)))
        after = start
    return apart[::-1]
