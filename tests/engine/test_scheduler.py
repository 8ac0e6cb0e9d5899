"""The scheduler: nothing lost, nothing doubled, nobody starved."""

from __future__ import annotations

from concurrent.futures import Future

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.engine.scheduler import Scheduler
from models.engine.sequence import Sequence, Window


def waiting(request: str = "r") -> Sequence:
    return Sequence(Window(request=request, mel=torch.empty(0)), Future(), "en")


def test_schedule_admits_first_come_first_served() -> None:
    scheduler = Scheduler(slots=2, encode_batch=4)
    first, second, third = waiting(), waiting(), waiting()
    for sequence in (first, second, third):
        scheduler.add(sequence)

    plan = scheduler.schedule()

    assert plan.encode == plan.prefill == [first, second]
    assert [first.slot, second.slot, third.slot] == [0, 1, None]


def test_schedule_encodes_no_more_than_a_batch_a_step() -> None:
    scheduler = Scheduler(slots=8, encode_batch=3)
    for _ in range(8):
        scheduler.add(waiting())

    assert [len(scheduler.schedule().encode) for _ in range(4)] == [3, 3, 2, 0]


def test_schedule_started_sequence_decodes() -> None:
    scheduler = Scheduler(slots=1, encode_batch=1)
    sequence = waiting()
    scheduler.add(sequence)
    scheduler.schedule()
    sequence.tokens.append(7)

    plan = scheduler.schedule()

    assert (plan.encode, plan.prefill, plan.decode) == ([], [], [sequence])


def test_schedule_cancelled_leaves_queue_and_slot() -> None:
    scheduler = Scheduler(slots=1, encode_batch=1)
    running, queued, kept = waiting(), waiting(), waiting()
    for sequence in (running, queued, kept):
        scheduler.add(sequence)
    scheduler.schedule()
    running.future.cancel()
    queued.future.cancel()

    plan = scheduler.schedule()

    assert plan.encode == [kept]
    assert scheduler.dropped == 2


actions = st.lists(st.sampled_from(["add", "step", "finish", "cancel"]), max_size=60)


@given(actions=actions, slots=st.integers(1, 4), batch=st.integers(1, 4), data=st.data())
def test_scheduler_any_order_loses_and_doubles_nothing(
    actions: list[str], slots: int, batch: int, data: st.DataObject
) -> None:
    scheduler = Scheduler(slots, batch)
    alive: list[Sequence] = []
    admitted: list[Sequence] = []
    for action in actions:
        if action == "add":
            alive.append(waiting())
            scheduler.add(alive[-1])
        elif action == "step":
            admitted += scheduler.schedule().encode
        elif action == "finish" and scheduler.running:
            done = data.draw(st.sampled_from(scheduler.running))
            scheduler.release(done)
            alive.remove(done)
        elif action == "cancel" and alive:
            gone = data.draw(st.sampled_from(alive))
            gone.future.cancel()
        held = [sequence.slot for sequence in scheduler.running]
        assert len(set(held)) == len(held) <= slots
        assert len(set(map(id, admitted))) == len(admitted)
    for _ in range(len(alive) + 1):
        admitted += scheduler.schedule().encode
        for sequence in list(scheduler.running):
            scheduler.release(sequence)

    expected = [sequence for sequence in alive if not sequence.abandoned]
    assert {id(sequence) for sequence in expected} <= {id(sequence) for sequence in admitted}
    assert scheduler.is_idle
