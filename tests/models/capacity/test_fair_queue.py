"""The line of one kind of recordings: places, turns, and what somebody who comes now is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from models.capacity.fair_queue import FairQueue, Ticket


def in_loop(scenario: Callable[[], None]) -> None:
    """Run it where futures can be made."""

    async def run() -> None:
        scenario()

    asyncio.run(run())


def ticket(key: str = "", cost: int = 10) -> Ticket:
    return Ticket(key, cost, cost, asyncio.get_running_loop().create_future())


def queue(at_once: int = 2) -> FairQueue:
    return FairQueue(at_once, lambda: 0.0)


def test_what_is_held_is_counted_by_key_and_forgotten_with_the_last_of_it() -> None:
    def scenario() -> None:
        line = queue()
        first, second, other = ticket("a", 3), ticket("a", 4), ticket("b", 5)
        for each in (first, second, other):
            line.add(each)

        assert (line.held, len(line.running), line.waiting) == ({"a": 7, "b": 5}, 2, 1)
        line.remove(first)
        assert line.held == {"a": 4, "b": 5}
        line.remove(second)
        assert dict(line.held) == {"b": 5}
        line.remove(other)
        assert (dict(line.held), len(line.running), line.waiting) == ({}, 0, 0)

    in_loop(scenario)


def test_one_that_waits_and_goes_leaves_the_others_their_turns() -> None:
    def scenario() -> None:
        line = queue(1)
        running, gone, next_one = ticket("a"), ticket("b"), ticket("c")
        for each in (running, gone, next_one):
            line.add(each)
        line.remove(gone)

        assert (running.admitted.done(), gone.admitted.done(), next_one.admitted.done()) == (
            True,
            False,
            False,
        )
        line.remove(running)
        assert next_one.admitted.done()
        assert not gone.admitted.done()

    in_loop(scenario)


@pytest.mark.parametrize(
    ("line", "key", "position"),
    [
        ("", "a", 1),
        ("a", "a", 2),
        ("a", "b", 2),
        ("aaa", "b", 2),
        ("aaab", "b", 4),
        ("aabbc", "c", 6),
        ("aabbc", "d", 4),
    ],
)
def test_position_counts_of_others_no_more_than_come_before(
    line: str, key: str, position: int
) -> None:
    def scenario() -> None:
        queued = queue()
        for each in "xx" + line:
            queued.add(ticket(each))
        estimate = queued.estimate(key)

        assert estimate.position == position
        # Each takes 10 s, at ten times the speed of speech.
        assert estimate.seconds == position

    in_loop(scenario)


def test_wait_is_estimated_by_the_mean_of_all_that_are_there() -> None:
    def scenario() -> None:
        queued = queue()
        for cost in (10, 20, 60):
            queued.add(ticket(cost=cost))

        assert queued.estimate("").seconds == 2 * 30 / 10

    in_loop(scenario)


def test_while_places_are_free_nobody_waits() -> None:
    def scenario() -> None:
        queued = queue(2)
        assert (queued.estimate("").position, queued.estimate("").seconds) == (0, 0)
        queued.add(ticket())
        assert queued.estimate("").position == 0
        queued.add(ticket())
        assert queued.estimate("").position == 1

    in_loop(scenario)


def test_estimate_of_one_that_waits_is_what_it_was_told_and_falls() -> None:
    def scenario() -> None:
        line = queue(1)
        first, second, third = ticket(), ticket(), ticket()
        line.add(first)
        told = []
        for each in (second, third):
            told.append(line.estimate(each.key))
            line.add(each)

        assert line.estimate_of(first).position == 0
        assert [line.estimate_of(each) for each in (second, third)] == told
        line.remove(first)
        assert [line.estimate_of(each).position for each in (second, third)] == [0, 1]

    in_loop(scenario)
