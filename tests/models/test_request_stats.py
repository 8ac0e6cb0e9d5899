"""Tests of a request's record."""

from __future__ import annotations

import pytest

from models import request_stats as usages
from models.request_stats import STAGES, Usage


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


def seconds(usage: Usage) -> list[float]:
    return [usage.stages[name].seconds for name in STAGES]


def test_one_window_spends_its_time_in_one_stage_after_the_other(clock: Clock) -> None:
    usage = Usage(began=100.0)
    for left, entered in zip((None, *STAGES), (*STAGES, None), strict=True):
        usage.move(left, entered)
        clock.now += 1.5
    clock.now += 10

    assert STAGES == ("load", "queue", "encode", "decode")
    assert seconds(usage) == [1.5, 1.5, 1.5, 1.5]
    assert [(s.began, s.ended) for s in usage.stages.values()] == [
        (100.0, 101.5),
        (101.5, 103.0),
        (103.0, 104.5),
        (104.5, 106.0),
    ]


def test_a_moment_counts_once_for_the_furthest_stage(clock: Clock) -> None:
    usage = Usage(began=100.0)
    usage.move(None, "queue")
    usage.move("queue", "decode")
    usage.move(None, "queue")  # waits beside the one that decodes
    usage.move(None, "load")
    clock.now += 4
    usage.move("decode", None)
    clock.now += 2
    usage.move("queue", None)
    clock.now += 1
    usage.move("load", None)
    clock.now += 8

    assert seconds(usage) == [1.0, 2.0, 0.0, 4.0]
    assert (usage.stages["load"].began, usage.stages["load"].ended) == (100.0, 107.0)


def test_the_first_segment_is_the_one_that_counts(clock: Clock) -> None:
    usage = Usage(began=99.0)
    usage.told()
    clock.now += 5
    usage.told()

    assert usage.first_segment_seconds == 1.0
