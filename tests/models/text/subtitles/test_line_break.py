"""Where lines are broken, exactly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.subtitle_options import SubtitleOptions
from models.text.subtitles.cue_times import CueTimes
from models.text.subtitles.line_break import BreakableText, break_cost, cheapest_cuts, joined
from models.text.subtitles.line_units import Unit, units
from tests.models.text.spoken import segment


def lines(text: str, width: int | None = None, words: int | None = None) -> list[str]:
    """The lines of a text."""
    limits = SubtitleOptions(max_line_width=width, max_words_per_line=words)
    parts = units(segment(0, 1, text), CueTimes(0, 1_000))
    return list(map(joined, BreakableText(parts, limits).lines()))


def unit(text: str, start: int = 0, end: int = 0) -> Unit:
    return Unit(text, len(text), True, CueTimes(start, end))


@pytest.mark.parametrize(
    ("text", "width", "broken"),
    [
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        # like lengths, not a full line and a scrap
        ("can you tell me what it is", 21, ["can you tell", "me what it is"]),
        ("one two three four five six", 9, ["one two", "three", "four", "five six"]),
        # after punctuation, where that costs little
        ("we are late, so come on", 15, ["we are late,", "so come on"]),
        ("Oh, and there it is again", 21, ["Oh, and there", "it is again"]),
        ("It rains. We all stay at home", 20, ["It rains.", "We all stay at home"]),
        ('"It rains." We all stay at home', 20, ['"It rains."', "We all stay at home"]),
        # in as few lines as will do, though more were better broken
        ("a. b c d. e f", 8, ["a. b c", "d. e f"]),
        # a single word may be wider
        ("an incomprehensibility it is", 10, ["an", "incomprehensibility", "it is"]),
        # as a reader sees them
        ("我们今天来讨论一下", 10, ["我们今天", "来讨论一下"]),
        ("nai\u0308ve e\u0301te\u0301", 9, ["nai\u0308ve e\u0301te\u0301"]),
    ],
)
def test_lines_by_width(text: str, width: int, broken: list[str]) -> None:
    assert lines(text, width) == broken


@pytest.mark.parametrize(
    ("text", "words", "broken"),
    [
        ("one two three", 3, ["one two three"]),
        ("one two three", 1, ["one", "two", "three"]),
        ("one two three four five", 4, ["one two", "three four five"]),
        ("我们今天来", 3, ["我们", "今天来"]),
    ],
)
def test_lines_by_words(text: str, words: int, broken: list[str]) -> None:
    assert lines(text, words=words) == broken


def test_lines_alike_begin_with_the_shorter() -> None:
    assert lines("aa bb cc", 5) == ["aa", "bb cc"]


def test_lines_by_both() -> None:
    assert lines("a b c d extraordinarily", width=16, words=2) == ["a b", "c d", "extraordinarily"]


def test_lines_without_limits() -> None:
    assert lines("one two. " * 100) == [("one two. " * 100).strip()]


def test_line_counts() -> None:
    parts = units(segment(0, 1, " aa bb cc dd"), CueTimes(0, 1_000))
    text = BreakableText(parts, SubtitleOptions(max_line_width=5))
    assert list(text.line_counts(0)) == [1, 1, 2, 2]
    assert list(text.line_counts(1)) == [1, 1, 2]


@pytest.mark.parametrize(
    ("last", "pause", "cost"),
    [
        ("end.", 0, 0.0),
        ('end?"', 0, 0.0),
        ("では。」", 0, 0.0),
        ("so,", 0, 0.4),
        ("on", 0, 1.0),
        ("on", 500, 0.5),
        ("on", -500, 1.0),
        ('"', 0, 1.0),
    ],
)
def test_break_cost(last: str, pause: int, cost: float) -> None:
    assert break_cost(unit(last, 0, 1_000), unit("x", 1_000 + pause, 9_000)) == cost


def test_cheapest() -> None:
    def costs(first: int) -> Iterator[float]:
        yield from (3.0, 4.0, 4.5)[: 5 - first]

    assert cheapest_cuts(5, costs) == [0, 2, 5]
    assert cheapest_cuts(0, costs) == [0]
