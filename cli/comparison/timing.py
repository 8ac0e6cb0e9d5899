"""Timestamp comparison: the largest and mean distance of segments, words and cues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from cli.comparison.alignment import opcodes
from cli.comparison.difference import Difference
from cli.comparison.wording import bare_words

_ENDLESS = 1e9


@dataclass(frozen=True)
class Timed:
    """Text between two times, in seconds."""

    start: float
    end: float
    text: str


def timed_items(value: object, text: str) -> list[Timed]:
    """The segments or words of an answer; `text` is the field that has what was said.

    Items without a time are left out: what is wrong with them is their type.
    """
    items = value if isinstance(value, list) else []
    return [
        Timed(item["start"], item["end"], str(item.get(text, "")))
        for item in items
        if isinstance(item, dict) and is_number(item.get("start")) and is_number(item.get("end"))
    ]


def time_differences(
    where: str, here: Sequence[Timed], against: Sequence[Timed], tolerance: float
) -> list[Difference]:
    """Another number of them, and times that are further apart than `tolerance` seconds."""
    found = []
    if len(here) != len(against):
        found.append(Difference("count", where, len(here), len(against)))
    distances = [
        distance
        for one, other in _pairs(here, against)
        for distance in (abs(one.start - other.start), abs(one.end - other.end))
    ]
    if distances and is_apart(max(distances), 0.0, tolerance):
        detail = {
            "largest": round(max(distances), 3),
            "mean": round(sum(distances) / len(distances), 3),
            "compared": len(distances) // 2,
        }
        found.append(Difference("times", where, detail=detail))
    return found


def is_apart(one: float, other: float, tolerance: float) -> bool:
    """Whether two times differ by more than this and what rounding may add, half a millisecond."""
    return abs(one - other) > tolerance + 0.0005


def spacing_differences(
    where: str, here: Sequence[Timed], against: Sequence[Timed]
) -> list[Difference]:
    """The first text that differs from the other's in white space alone, such as a space before."""
    for one, other in _pairs(here, against):
        if one.text != other.text and one.text.split() == other.text.split():
            return [Difference("spacing", where, one.text[:30], other.text[:30])]
    return []


def _pairs(here: Sequence[Timed], against: Sequence[Timed]) -> Iterator[tuple[Timed, Timed]]:
    """Those that say the same; and where as many were said in between, these in their order."""
    for kind, begin, end, first, last in opcodes(_spoken(here), _spoken(against)):
        if kind == "equal" or (kind == "replace" and end - begin == last - first):
            yield from zip(here[begin:end], against[first:last], strict=True)


def _spoken(items: Sequence[Timed]) -> list[str]:
    return [" ".join(bare_words(item.text.split())) for item in items]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it may be a time in seconds: a number, and none beyond all recordings."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_ENDLESS < value < _ENDLESS
