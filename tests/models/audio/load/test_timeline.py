"""Timeline: where stretches of sound begin, with clocks that are coarse, drift, jump or break."""

from __future__ import annotations

import itertools
import math

import pytest

from models.audio.load.timeline import Timeline

FRAME = 0.02


def starts(timeline: Timeline, times: list[float | None], seconds: float = FRAME) -> list[float]:
    """The starts of the stretches that sounds of these times belong to, each once."""
    found = [timeline.stretch(time, seconds) for time in times]
    return [start for start, _ in itertools.groupby(found)]


def frames(begin: float, count: int, seconds: float = FRAME) -> list[float | None]:
    return [begin + number * seconds for number in range(count)]


def test_first_sound_is_the_start_where_none_is_known() -> None:
    assert starts(Timeline(), frames(1000, 50)) == [0]


def test_lead_counts_from_the_origin() -> None:
    timeline = Timeline(1.4)
    assert starts(timeline, frames(6.4, 50)) == [pytest.approx(5)]
    assert timeline.seconds == pytest.approx(6)


def test_hole_begins_a_stretch() -> None:
    timeline = Timeline(0)
    assert starts(timeline, [*frames(0, 50), *frames(11, 50)]) == [0, pytest.approx(11)]
    assert timeline.seconds == pytest.approx(12)


@pytest.mark.parametrize("hole", [0.001, 0.01, 0.0199])
def test_hole_of_up_to_20_ms_is_none(hole: float) -> None:
    timeline = Timeline(0)
    assert starts(timeline, [*frames(0, 50), *frames(1 + hole, 50)]) == [0]
    assert timeline.seconds == pytest.approx(2)


@pytest.mark.parametrize("seconds", [0.02, 1024 / 44_100, 1024 / 48_000, 1152 / 44_100, 0.12])
def test_times_in_milliseconds_make_no_holes(seconds: float) -> None:
    times: list[float | None] = [
        math.floor(1000 * number * seconds) / 1000 for number in range(100_000)
    ]
    timeline = Timeline(0)
    assert starts(timeline, times, seconds) == [0]
    assert timeline.seconds == pytest.approx(100_000 * seconds)


def test_arrival_times_that_jitter_add_at_most_their_largest_delay() -> None:
    jitter = [0.0, 0.035, -0.02, 0.01, -0.035, 0.03]
    times: list[float | None] = [
        5 + number * FRAME + jitter[number % len(jitter)] for number in range(10_000)
    ]
    timeline = Timeline(5)
    starts(timeline, times)
    assert 200 <= timeline.seconds < 200.04


def test_clock_that_is_fast_is_followed_in_steps_above_20_ms() -> None:
    times: list[float | None] = [number * FRAME * 1.0005 for number in range(180_000)]
    timeline = Timeline(0)
    found = starts(timeline, times)
    assert timeline.seconds == pytest.approx(3600 * 1.0005, abs=0.05)
    assert len(found) < 100


def test_clock_that_is_slow_loses_nothing() -> None:
    timeline = Timeline(0)
    assert starts(timeline, [number * FRAME * 0.9999 for number in range(180_000)]) == [0]
    assert timeline.seconds == pytest.approx(3600)


def test_sound_without_time_follows() -> None:
    timeline = Timeline(0)
    times = [*frames(5, 10), *[None] * 10, *frames(15.4, 10)]
    assert starts(timeline, times) == [pytest.approx(5), pytest.approx(15.4)]


def test_overlap_follows_and_a_hole_behind_it_ends_in_time() -> None:
    timeline = Timeline(0)
    times = [*frames(0, 50), *frames(0.5, 50), *frames(20, 50)]
    assert starts(timeline, times) == [0, pytest.approx(20)]
    assert timeline.seconds == pytest.approx(21)


def test_clock_that_begins_again_goes_on_and_has_holes() -> None:
    timeline = Timeline(1.4)
    times = [*frames(1.4, 500), *frames(1.4, 100), *frames(13.4, 100)]
    assert starts(timeline, times) == [0, pytest.approx(22)]
    assert timeline.seconds == pytest.approx(24)


def test_hole_longer_than_the_longest_is_a_jump_of_the_clock() -> None:
    timeline = Timeline(0, longest=60)
    times = [*frames(0, 50), *frames(95_000, 50), *frames(95_011, 50)]
    assert starts(timeline, times) == [0, pytest.approx(12)]
    assert timeline.seconds == pytest.approx(13)


def test_hole_behind_the_stated_end_is_a_jump_of_the_clock() -> None:
    timeline = Timeline(0, end=30)
    times = [*frames(0, 50), 4600.0, *frames(1.02, 50), *frames(20, 50)]
    assert starts(timeline, times) == [0, pytest.approx(20, abs=0.05)]
    assert timeline.seconds == pytest.approx(21, abs=0.05)


def test_ten_years_are_no_hole() -> None:
    timeline = Timeline(0)
    assert starts(timeline, [*frames(0, 50), *frames(10 * 365 * 86_400.0, 50)]) == [0]
    assert timeline.seconds == pytest.approx(2)


def test_times_are_never_negative_and_never_go_back() -> None:
    times: list[float | None] = [3.0, -5.0, 2.0, 900.0, -900.0, 0.0, None, 4.0, 1e9, 7.0]
    timeline = Timeline(2)
    found = [(timeline.stretch(time, FRAME), timeline.seconds) for time in times]
    assert found == sorted(found)
    assert min(start for start, _ in found) >= 0
