"""Throughput estimate: an average that decays by half-lives."""

from __future__ import annotations

import pytest

from models.capacity.throughput import Throughput


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_at_first_it_is_taken_for_ten_times_as_fast_as_speech(clock: Clock) -> None:
    assert Throughput(clock).rate == 10


def test_what_is_taken_for_seen_at_first_weighs_ten_seconds(clock: Clock) -> None:
    throughput = Throughput(clock)
    clock.now += 10
    throughput.finish(300)

    kept = 0.5 ** (10 / 300)
    assert throughput.rate == pytest.approx((100 * kept + 300) / (10 * kept + 10))


def test_after_five_minutes_of_work_what_was_seen_counts_half(clock: Clock) -> None:
    throughput = Throughput(clock)
    clock.now += 300
    throughput.finish(600)

    # Of the 100 s in 10 s that it began with, 50 s in 5 s are left.
    assert throughput.rate == pytest.approx((50 + 600) / (5 + 300))


def test_time_without_work_does_not_count(clock: Clock) -> None:
    throughput = Throughput(clock)
    clock.now += 10_000
    throughput.begin()
    clock.now += 300
    throughput.finish(600)

    assert throughput.rate == pytest.approx(650 / 305)


def test_each_recording_counts_from_the_end_of_the_one_before(clock: Clock) -> None:
    throughput = Throughput(clock)
    for _ in range(100):
        clock.now += 300
        throughput.finish(6000)

    assert throughput.rate == pytest.approx(20)
