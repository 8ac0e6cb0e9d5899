"""Admission limits: recordings at work at once, and the share of each queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from models.capacity.admission import Admission
from models.errors import OverloadedError


def with_places(admission: Admission, check: Callable[[Callable[..., bool]], None]) -> None:
    """Call `check` with a function that asks for a place and keeps it: whether there was one."""

    async def run() -> None:
        with ExitStack() as stack:

            def comes(seconds: float, key: str = "") -> bool:
                try:
                    stack.enter_context(admission.ticket(seconds, key))
                except OverloadedError:
                    return False
                return True

            check(comes)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("slots", "short", "long"), [(1, 2, 4), (16, 32, 4), (40, 80, 5), (64, 128, 8)]
)
def test_twice_the_slots_are_at_work_and_of_long_ones_an_eighth_or_four(
    slots: int, short: int, long: int
) -> None:
    admission = Admission(1_000_000, slots)

    def check(comes: Callable[..., bool]) -> None:
        assert all(comes(31) for _ in range(200))
        assert admission.running == long
        assert all(comes(30) for _ in range(200))
        assert admission.running == long + short
        assert admission.waiting == 400 - long - short

    with_places(admission, check)


def test_recording_of_thirty_seconds_is_short_and_one_second_more_is_long() -> None:
    def check(comes: Callable[..., bool]) -> None:
        assert comes(700)
        assert not comes(30.5)
        assert comes(30)
        assert comes(30)
        assert comes(30)
        assert not comes(30)

    with_places(Admission(800, 1), check)


@pytest.mark.parametrize(("seconds", "whole"), [(0, 1), (0.2, 1), (1, 1), (1.2, 2), (29.9, 30)])
def test_each_takes_whole_seconds_of_the_queue_one_at_least(seconds: float, whole: int) -> None:
    admission = Admission(1000, 1)

    def check(comes: Callable[..., bool]) -> None:
        assert comes(seconds)
        assert admission.held == whole

    with_places(admission, check)


def test_queue_is_filled_to_the_last_second() -> None:
    def check(comes: Callable[..., bool]) -> None:
        assert all(comes(10) for _ in range(10))
        assert not comes(1)

    with_places(Admission(100, 1), check)


def test_key_may_have_as_much_as_it_leaves_and_no_second_more() -> None:
    def check(comes: Callable[..., bool]) -> None:
        assert comes(30, "a")
        assert comes(20, "a")
        assert not comes(1, "a")
        assert comes(25, "b")

    with_places(Admission(100, 1), check)


@pytest.mark.parametrize(("wait", "taken"), [(1, 10), (3, 30), (60, 100)])
def test_short_ones_that_would_wait_longer_are_refused(wait: int, taken: int) -> None:
    def check(comes: Callable[..., bool]) -> None:
        # Ten seconds of speech take one.
        assert [comes(1) for _ in range(200)].count(True) == taken

    with_places(Admission(100, 1, short_wait=wait), check)


def test_one_that_ends_is_counted_and_its_length_makes_the_rate() -> None:
    class Clock:
        now = 0.0

    async def run() -> None:
        admission = Admission(1000, 1, clock=lambda: Clock.now)
        with admission.ticket(10):
            Clock.now += 10
        assert admission.cancelled == 0
        assert (admission.held, admission.running) == (0, 0)
        with pytest.raises(ValueError, match="broken"), admission.ticket(10):
            raise ValueError("broken")
        assert (admission.cancelled, admission.held) == (0, 0)

    asyncio.run(run())
