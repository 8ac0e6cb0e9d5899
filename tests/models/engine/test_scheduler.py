"""The scheduler: nothing lost, nothing doubled, nobody starved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.decoding.sequence import Sequence
from models.engine.scheduler import BACKGROUND_SHARE, Plan, Scheduler
from tests.models.engine.scheduling import added, encoded


def test_schedule_admits_first_come_first_served() -> None:
    scheduler = Scheduler(slots=2, encode_batch=4)
    first, second, third = added(scheduler, 3)

    assert encoded(scheduler) == [first, second]
    assert scheduler.schedule().prefill == [first, second]
    assert [first.slot, second.slot, third.slot] == [0, 1, None]


def test_schedule_encodes_no_more_than_a_batch_at_once() -> None:
    scheduler = Scheduler(slots=8, encode_batch=3)
    added(scheduler, 8)

    assert [len(encoded(scheduler)) for _ in range(4)] == [3, 3, 2, 0]


def test_schedule_rows_wait_while_windows_can_be_encoded() -> None:
    scheduler = Scheduler(slots=2, encode_batch=1)
    first, second, _ = added(scheduler, 3)
    encoded(scheduler)

    plan = scheduler.schedule()
    assert [encoding.sequences for encoding in plan.encodings] == [[second]]
    assert not plan.has_rows

    encoded(scheduler)
    plan = scheduler.schedule()
    assert (plan.encodings, plan.prefill) == ([], [first, second])


def test_schedule_cancelled_leaves_queue_encoder_and_slot() -> None:
    scheduler = Scheduler(slots=2, encode_batch=1)
    running, half, queued, kept = added(scheduler, 4)
    encoded(scheduler)
    scheduler.schedule()
    for sequence in (running, half, queued):
        sequence.future.cancel()

    plan = scheduler.schedule()

    assert [encoding.sequences for encoding in plan.encodings] == [[kept]]
    assert (plan.prefill, plan.decode, scheduler.dropped) == ([], [], 3)


def test_schedule_cancelled_leaves_those_it_is_encoded_with() -> None:
    scheduler = Scheduler(slots=3, encode_batch=3)
    first, second, third = added(scheduler, 3)
    (before,) = scheduler.schedule().encodings
    second.future.cancel()

    (after,) = scheduler.schedule().encodings

    assert after is before
    assert after.sequences == [first, third]
    assert (second.slot, scheduler.dropped) == (None, 1)
    scheduler.encoded(after)
    assert scheduler.schedule().prefill == [first, third]


def test_schedule_background_leaves_a_slot_in_eight() -> None:
    scheduler = Scheduler(slots=8, encode_batch=1)
    added(scheduler, 9, background=True)
    while encoded(scheduler):
        pass

    assert len(scheduler.running) == 7
    late = added(scheduler, 1)
    assert encoded(scheduler) == late


def test_schedule_short_recording_goes_before_a_half_encoded_background() -> None:
    scheduler = Scheduler(slots=4, encode_batch=1)
    added(scheduler, 3, background=True)
    scheduler.schedule()
    (late,) = added(scheduler, 1)

    plan = scheduler.schedule()

    assert [encoding.sequences for encoding in plan.encodings] == [[late]]


def test_schedule_where_they_overlap_all_rows_decode_beside_all_encodings() -> None:
    scheduler = Scheduler(slots=8, encode_batch=2, overlaps=True)
    long, short = added(scheduler, 1, background=True), added(scheduler, 1)
    encoded(scheduler)
    late = added(scheduler, 3)

    plan = scheduler.schedule()

    assert [encoding.sequences for encoding in plan.encodings] == [late[:2]]
    assert (plan.prefill, plan.decode) == (short + long, [])


def test_schedule_background_gets_its_share_of_the_time() -> None:
    scheduler = Scheduler(slots=4, encode_batch=1)
    added(scheduler, 1, background=True)
    encoded(scheduler)
    added(scheduler, 1)
    seconds = {True: 0.0, False: 0.0}
    # A step of the background takes nine times as long.
    for _ in range(1000):
        plan = scheduler.schedule()
        rows = plan.encodings[0].sequences if plan.encodings else plan.prefill
        is_background = rows[0].window.lane == "background"
        took = 0.09 if is_background else 0.01
        seconds[is_background] += took
        scheduler.ran(took)

    share = seconds[True] / sum(seconds.values())
    assert abs(share - BACKGROUND_SHARE) < 0.02


@pytest.mark.parametrize("overlaps", [False, True])
@pytest.mark.parametrize("slots", [1, 2, 5, 7, 8, 16])
def test_schedule_background_gets_its_share_where_short_recordings_wait_all_the_time(
    slots: int, *, overlaps: bool
) -> None:
    scheduler = Scheduler(slots, encode_batch=1, overlaps=overlaps)
    for background in (True, False):
        added(scheduler, 2 * slots, background=background)
    steps = {True: 0.0, False: 0.0}
    left: dict[Sequence, int] = {}
    for _ in range(3000):
        plan = scheduler.schedule()
        encoded = [sequence for each in plan.encodings for sequence in each.sequences]
        rows = plan.prefill + plan.decode
        for sequence in encoded + rows:
            steps[sequence.window.lane == "background"] += 1 / len(encoded + rows)
        for encoding in plan.encodings:
            scheduler.encoded(encoding)
        for sequence in rows:
            left[sequence] = left.get(sequence, 10 + len(left) % 16) - 1
            if not left[sequence]:
                scheduler.release(sequence)
                added(scheduler, 1, background=sequence.window.lane == "background")
        scheduler.ran(0.01)

    share = steps[True] / sum(steps.values())
    assert BACKGROUND_SHARE - 0.02 < share < (0.55 if overlaps else BACKGROUND_SHARE + 0.02)


actions = st.lists(
    st.sampled_from(["add", "add long", "step", "encode", "finish", "cancel"]), max_size=80
)


@pytest.mark.parametrize("overlaps", [False, True])
@given(actions=actions, slots=st.integers(1, 8), batch=st.integers(1, 4), data=st.data())
def test_scheduler_any_order_loses_and_doubles_and_starves_nothing(
    actions: list[str], slots: int, batch: int, data: st.DataObject, *, overlaps: bool
) -> None:
    scheduler = Scheduler(slots, batch, overlaps=overlaps)
    alive: list[Sequence] = []
    admitted: list[Sequence] = []

    def step(*, complete: bool) -> Plan:
        plan = scheduler.schedule()
        for encoding in plan.encodings if complete else ():
            scheduler.encoded(encoding)
            admitted.extend(encoding.sequences)
        scheduler.ran(data.draw(st.floats(0.0, 1.0)))
        return plan

    for action in actions:
        if action.startswith("add"):
            alive += added(scheduler, 1, background=action == "add long")
        elif action in ("step", "encode"):
            step(complete=action == "encode")
        elif action == "finish":
            running = [s for s in scheduler.running if s in admitted]
            if running:
                done = data.draw(st.sampled_from(running))
                scheduler.release(done)
                alive.remove(done)
        elif action == "cancel" and alive:
            data.draw(st.sampled_from(alive)).future.cancel()
        held = [sequence.slot for sequence in scheduler.running]
        assert len(set(held)) == len(held) <= slots
        assert len(set(map(id, admitted))) == len(admitted)

    # However it came to be: every window that somebody waits for gets its turn.
    for _ in range(4 * len(alive) + 4):
        plan = step(complete=True)
        for sequence in plan.prefill + plan.decode:
            scheduler.release(sequence)
    expected = [sequence for sequence in alive if not sequence.is_cancelled]
    assert {id(sequence) for sequence in expected} <= {id(sequence) for sequence in admitted}
    assert scheduler.is_idle
