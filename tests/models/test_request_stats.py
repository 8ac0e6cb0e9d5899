"""Tests of a request's record."""

from __future__ import annotations

import pytest

from models import request_stats as usages
from models.request_stats import STAGES, RequestStats, Stage


class Clock:
    """Goes only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(usages, "time", clock)
    return clock


def seconds(stats: RequestStats) -> list[float]:
    return [stats.stages[name].seconds for name in STAGES]


def test_one_window_spends_its_time_in_one_stage_after_the_other(clock: Clock) -> None:
    stats = RequestStats(began=100.0)
    for left, entered in zip((None, *STAGES), (*STAGES, None), strict=True):
        stats.enter(left, entered)
        clock.now += 1.5
    clock.now += 10

    assert STAGES == ("load", "queue", "encode", "decode")
    assert seconds(stats) == [1.5, 1.5, 1.5, 1.5]
    assert [(s.began, s.ended) for s in stats.stages.values()] == [
        (100.0, 101.5),
        (101.5, 103.0),
        (103.0, 104.5),
        (104.5, 106.0),
    ]


def test_a_moment_counts_once_for_the_furthest_stage(clock: Clock) -> None:
    stats = RequestStats(began=100.0)
    stats.enter(None, "queue")
    stats.enter("queue", "decode")
    stats.enter(None, "queue")  # waits beside the one that decodes
    stats.enter(None, "load")
    clock.now += 4
    stats.enter("decode", None)
    clock.now += 2
    stats.enter("queue", None)
    clock.now += 1
    stats.enter("load", None)
    clock.now += 8

    assert seconds(stats) == [1.0, 2.0, 0.0, 4.0]
    assert (stats.stages["load"].began, stats.stages["load"].ended) == (100.0, 107.0)


def test_the_first_segment_is_the_one_that_counts(clock: Clock) -> None:
    stats = RequestStats(began=99.0)
    stats.first_segment()
    clock.now += 5
    stats.first_segment()

    assert stats.first_segment_seconds == 1.0


def test_parts_that_are_over_are_added() -> None:
    whole, part = RequestStats(), RequestStats(windows=2, tokens=5, fallbacks=1)
    part.stages["decode"] = Stage(1.5, began=10.0, ended=12.0)
    other = RequestStats(windows=1)
    other.stages["decode"] = Stage(0.5, began=9.0, ended=11.0)
    whole.add(part)
    whole.add(other)

    assert (whole.windows, whole.tokens, whole.fallbacks) == (3, 5, 1)
    assert whole.stages["decode"] == Stage(2.0, began=9.0, ended=12.0)
    assert whole.stages["queue"] == Stage()
