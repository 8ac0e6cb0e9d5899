"""Admission: nothing lost, nobody starved, never more than the bound."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capacity.admission import LONG_AT_ONCE, SHORT_SECONDS, Admission
from models.capacity.fair_queue import Ticket
from models.capacity.throughput import FIRST_RATE, FIRST_SECONDS, HALF_LIFE
from models.errors import OverloadedError

LONG = SHORT_SECONDS + 1


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Requests:
    """Requests in a queue: each comes, has its turn and ends when the test says so."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.stacks: dict[Ticket, ExitStack] = {}

    def come(self, seconds: float, key: str = "") -> Ticket:
        """A request takes its ticket."""
        stack = ExitStack()
        ticket = stack.enter_context(self.admission.ticket(seconds, key))
        self.stacks[ticket] = stack
        return ticket

    def end(self, ticket: Ticket) -> None:
        """It is done."""
        self.stacks.pop(ticket).close()

    def cancel(self, ticket: Ticket) -> None:
        """It is given up, as asyncio does it: first what it waits for."""
        ticket.admitted.cancel()
        error = asyncio.CancelledError()
        self.stacks.pop(ticket).__exit__(asyncio.CancelledError, error, None)

    def at_work(self) -> list[Ticket]:
        """Those whose turn has come, in no order."""
        return [ticket for ticket in self.stacks if ticket.admitted.done()]


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(scenario)


def filled(requests: Requests, seconds: float, keys: Iterable[str]) -> None:
    """The keys come in turn, each until it is refused."""
    left = list(keys)
    while left:
        for key in list(left):
            try:
                requests.come(seconds, key)
            except OverloadedError:
                left.remove(key)


actions = st.lists(
    st.tuples(
        st.sampled_from(["come", "come", "come", "end", "cancel"]),
        st.one_of(st.floats(0, SHORT_SECONDS), st.floats(LONG, 1000)),
        st.sampled_from(["", "a", "b", "c"]),
    ),
    max_size=60,
)


@given(actions=actions, maximum=st.integers(1, 2000), slots=st.integers(1, 4), data=st.data())
def test_any_order_keeps_the_bound_and_gives_everybody_a_turn(
    actions: list[tuple[str, float, str]], maximum: int, slots: int, data: st.DataObject
) -> None:
    async def scenario() -> None:
        admission = Admission(maximum, slots)
        requests = Requests(admission)
        cancelled = 0
        for action, seconds, key in actions:
            if action == "come":
                with suppress(OverloadedError):
                    requests.come(seconds, key)
            elif action == "end" and requests.at_work():
                requests.end(data.draw(st.sampled_from(requests.at_work())))
            elif action == "cancel" and requests.stacks:
                requests.cancel(data.draw(st.sampled_from(list(requests.stacks))))
                cancelled += 1
            at_work = requests.at_work()
            assert sum(ticket.cost for ticket in requests.stacks) == admission.held <= maximum
            assert len(at_work) == admission.running
            assert len(requests.stacks) == admission.running + admission.waiting
            assert sum(ticket.seconds <= SHORT_SECONDS for ticket in at_work) <= 2 * slots
            assert sum(ticket.seconds > SHORT_SECONDS for ticket in at_work) <= LONG_AT_ONCE
            # Nobody waits while there is room.
            assert admission.running or not admission.waiting
        while requests.stacks:
            # None is left that never has its turn.
            requests.end(requests.at_work()[0])
        assert admission.cancelled == cancelled
        assert (admission.held, admission.running, admission.waiting) == (0, 0, 0)

    run(scenario())


@given(seconds=st.floats(0, 1e6), maximum=st.integers(1, 1000), key=st.sampled_from(["", "a"]))
def test_idle_server_takes_a_recording_of_any_length(
    seconds: float, maximum: int, key: str
) -> None:
    async def scenario() -> None:
        requests = Requests(Admission(maximum, slots=1))
        ticket = requests.come(seconds, key)

        assert ticket.admitted.done()
        assert requests.admission.held <= maximum

    run(scenario())


def test_short_clips_have_places_and_room_whatever_long_files_do() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(800, slots=2))
        requests.come(1_000_000, "a")
        with pytest.raises(OverloadedError):
            requests.come(LONG, "b")

        clips = [requests.come(25, key) for key in "abac"]

        assert all(clip.admitted.done() for clip in clips)

    run(scenario())


def test_keys_take_turns_and_within_a_key_first_comes_first() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(10_000, slots=1))
        running = [requests.come(1, "x"), requests.come(1, "x")]
        line = [requests.come(1, key) for key in "aaaabcb"]
        names = dict(zip(line, ["a1", "a2", "a3", "a4", "b1", "c1", "b2"], strict=True))
        served: list[str] = []
        while line:
            requests.end(running.pop(0))
            (turn,) = [ticket for ticket in line if ticket.admitted.done()]
            line.remove(turn)
            served.append(names[turn])
            running.append(turn)

        assert served == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]

    run(scenario())


@pytest.mark.parametrize("seconds", [1, 20, 31])
@pytest.mark.parametrize(("keys", "part"), [("a", 1 / 2), ("ab", 1 / 3), ("abcde", 1 / 6)])
def test_keys_have_equal_parts_and_leave_one(keys: str, part: float, seconds: int) -> None:
    async def scenario() -> None:
        requests = Requests(Admission(6000, slots=2))
        filled(requests, seconds, keys)

        part_of_all = part * (6000 if seconds <= SHORT_SECONDS else 6000 * 7 / 8)
        held = [sum(p.cost for p in requests.stacks if p.key == key) for key in keys]
        assert held == pytest.approx([part_of_all] * len(keys), abs=seconds)
        # One that has nothing there yet finds room.
        for _ in range(int(part_of_all / 2 / seconds)):
            requests.come(seconds, "late")

    run(scenario())


def test_without_keys_anybody_may_fill_it() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(600, slots=2))
        filled(requests, 30, [""])

        assert requests.admission.held == 600

    run(scenario())


@given(line=st.lists(st.sampled_from("abc"), max_size=12), key=st.sampled_from("abc"))
def test_position_is_the_number_of_turns_to_wait(line: list[str], key: str) -> None:
    async def scenario() -> None:
        requests = Requests(Admission(10_000, slots=1))
        running = [requests.come(10, "x"), requests.come(10, "x")]
        waiting = [requests.come(10, each) for each in line]
        estimate = requests.admission.estimate(10, key)
        ticket = requests.come(10, key)
        turns = 0
        while not ticket.admitted.done():
            requests.end(running.pop(0))
            turns += 1
            running += [each for each in [*waiting, ticket] if each.admitted.done()]
            waiting = [each for each in waiting if not each.admitted.done()]

        # Its key may come earlier in the round than all the others.
        assert turns <= estimate.position <= turns + 2
        assert estimate.seconds == estimate.position * 10 / FIRST_RATE

    run(scenario())


def test_nobody_waits_where_there_is_room() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(1000, slots=1))
        requests.come(10)

        estimate = requests.admission.estimate(10)

        assert (estimate.position, estimate.seconds) == (0, 0)

    run(scenario())


def test_refusal_says_when_there_will_be_room() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(600, slots=1))
        filled(requests, 30, [""])

        with pytest.raises(OverloadedError) as caught:
            requests.come(20)

        assert caught.value.retry_after == 20 / FIRST_RATE

    run(scenario())


def test_short_recordings_that_would_be_late_are_refused_and_long_ones_wait() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(10_000, slots=1, short_wait=3))
        for _ in range(3):
            requests.come(10)

        with pytest.raises(OverloadedError) as caught:
            requests.come(10)

        assert caught.value.retry_after == 10 / FIRST_RATE
        for _ in range(8):
            requests.come(1000)

    run(scenario())


def test_idle_server_takes_what_takes_longer_than_anybody_may_wait() -> None:
    async def scenario() -> None:
        requests = Requests(Admission(10_000, slots=1, short_wait=1))
        requests.end(requests.come(30))
        requests.come(30)

        with pytest.raises(OverloadedError):
            requests.come(1)

    run(scenario())


def test_faster_server_lets_more_wait_for_as_long() -> None:
    async def scenario() -> None:
        clock = Clock()
        requests = Requests(Admission(10_000, slots=1, short_wait=3, clock=clock))

        def taken() -> int:
            with ExitStack() as stack:
                for count in range(10_000):
                    try:
                        stack.enter_context(requests.admission.ticket(1))
                    except OverloadedError:
                        return count
            raise AssertionError

        assert taken() == 3 * FIRST_RATE
        for _ in range(200):
            clip = requests.come(30)
            clock.now += 1
            requests.end(clip)
        assert 3 * 20 < taken() <= 3 * 30

    run(scenario())


def test_rate_is_what_is_measured_while_there_is_work() -> None:
    async def scenario() -> None:
        clock = Clock()
        requests = Requests(Admission(100_000, slots=1, clock=clock))

        def rate() -> float:
            requests.come(1), requests.come(1)
            estimate = requests.admission.estimate(1)
            for ticket in list(requests.stacks):
                requests.cancel(ticket)
            return 1 / estimate.seconds

        assert rate() == FIRST_RATE
        for _ in range(200):
            clip = requests.come(1)
            clock.now += 0.5
            # It was longer than it seemed.
            clip.seconds = 20
            requests.end(clip)
            # Nothing to do is no slowness, and what is given up says nothing.
            clock.now += HALF_LIFE
            given_up = requests.come(1)
            clock.now += 1000
            requests.cancel(given_up)

        first = FIRST_SECONDS / (FIRST_SECONDS + 100)
        assert rate() == pytest.approx(first * FIRST_RATE + (1 - first) * 40, rel=0.1)

    run(scenario())


def test_turn_that_comes_to_one_just_given_up_goes_on() -> None:
    async def scenario() -> None:
        admission = Admission(1000, slots=1)

        async def request() -> None:
            with admission.ticket(1) as ticket:
                await ticket.admitted

        running = Requests(admission)
        first, _ = running.come(1), running.come(1)
        waiting = [asyncio.create_task(request()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        # Its turn comes before it has run to see that it is cancelled.
        running.end(first)

        await asyncio.wait_for(waiting[1], 120)
        assert waiting[0].cancelled()
        assert (admission.running, admission.waiting) == (1, 0)
        assert admission.cancelled == 1

    run(scenario())
