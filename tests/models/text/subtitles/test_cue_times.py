"""Cue times made sound, exact to the millisecond."""

from __future__ import annotations

import pytest

from models.text.subtitles.cue_times import CueTimes, in_order, whole_milliseconds

LENGTH = 10_000


def made_sound(
    *times: tuple[int, int], length: int = LENGTH, sizes: tuple[int, ...] = ()
) -> list[tuple[int, int]]:
    given = [CueTimes(*each) for each in times]
    return [(at.start, at.end) for at in in_order(given, sizes or (1,) * len(times), length)]


def test_sound_keeps_what_is_sound() -> None:
    times = [(0, 2_000), (2_000, 2_001), (5_000, 10_000)]
    assert made_sound(*times) == times


@pytest.mark.parametrize(
    ("given", "mended"),
    [
        # beyond the end
        ([(9_000, 11_000)], [(9_000, 10_000)]),
        # beginning there: moved before it, as long as it is
        ([(0, 3_000), (10_000, 11_000)], [(0, 3_000), (9_000, 10_000)]),
        ([(0, 10_000), (12_000, 14_000)], [(0, 8_000), (8_000, 10_000)]),
        ([(0, 10_000), (12_000, 12_000)], [(0, 9_999), (9_999, 10_000)]),
        # longer than the recording
        ([(20_000, 90_000)], [(0, 10_000)]),
        # before the last has ended
        ([(0, 5_000), (4_000, 8_000)], [(0, 4_000), (4_000, 8_000)]),
        # without duration, or less
        ([(1_000, 1_000)], [(1_000, 1_001)]),
        ([(2_000, 1_000)], [(2_000, 2_001)]),
        ([(10_000, 10_000)], [(9_999, 10_000)]),
        ([(-500, 500)], [(0, 500)]),
    ],
)
def test_in_order_mends(given: list[tuple[int, int]], mended: list[tuple[int, int]]) -> None:
    assert made_sound(*given) == mended


def test_sound_shares_where_times_go_back() -> None:
    times = [(1_000, 3_000), (500, 4_000), (1_000, 2_000), (6_000, 7_000)]
    assert made_sound(*times, sizes=(10, 10, 40, 10)) == [
        (1_000, 1_500),
        (1_500, 2_000),
        (2_000, 4_000),
        (6_000, 7_000),
    ]


def test_sound_shares_no_more_than_there_is() -> None:
    times = [(1_000, 9_000), (1_000, 9_000), (2_000, 9_000)]
    assert made_sound(*times) == [(1_000, 1_500), (1_500, 2_000), (2_000, 9_000)]


def test_sound_finds_a_millisecond_for_each() -> None:
    assert made_sound(*[(10_000, 10_000)] * 3) == [(9_997, 9_998), (9_998, 9_999), (9_999, 10_000)]
    assert made_sound(*[(0, 1)] * 3) == [(0, 1), (1, 2), (2, 3)]
    assert made_sound(*[(0, 1)] * 3, length=0) == [(0, 1), (1, 2), (2, 3)]


def test_sound_of_nothing() -> None:
    assert made_sound() == []


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(1.001, 1_001), (3.7, 3_700), (0.9999375, 999), (0.0, 0)]
)
def test_whole_milliseconds(seconds: float, milliseconds: int) -> None:
    assert whole_milliseconds(seconds) == milliseconds


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(0.0004, 0), (0.0006, 1), (59.9996, 60_000), (360_000.0, 360_000_000)],
)
def test_times_are_rounded(seconds: float, milliseconds: int) -> None:
    assert CueTimes.of(seconds, seconds) == CueTimes(milliseconds, milliseconds)
