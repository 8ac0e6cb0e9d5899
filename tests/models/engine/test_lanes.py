"""The scheduler's lanes: what is kept for whom, what is owed, and what becomes of slots."""

from __future__ import annotations

from collections import Counter

import pytest

from models.engine.decoding.sequence import LaneName, Sequence
from models.engine.scheduler import (
    BACKGROUND_SHARE,
    JOB_SHARE,
    LIVE_SHARE,
    Encoding,
    Plan,
    Scheduler,
)
from tests.models.engine.scheduling import added, encoded, waiting


def all_encoded(scheduler: Scheduler) -> None:
    while encoded(scheduler):
        pass


def rows(count: int, *, tokens: int) -> list[Sequence]:
    sequences = [waiting() for _ in range(count)]
    for sequence in sequences:
        sequence.tokens = [7] * tokens
    return sequences


def test_plan_of_prompts_or_rows_alone_has_rows() -> None:
    (prompt,), (row,) = rows(1, tokens=0), rows(1, tokens=1)

    assert [Plan([], [prompt], []).has_rows, Plan([], [], [row]).has_rows] == [True, True]
    assert not Plan([Encoding([prompt])], [], []).has_rows
    assert not Plan([Encoding([prompt])], [], []).is_empty
    assert not Plan([], [prompt], []).is_empty
    assert Plan([], [], []).is_empty


def test_parts_of_a_plan_have_all_its_rows_and_none_twice() -> None:
    prompts, decoding = rows(3, tokens=0), rows(4, tokens=2)
    parts = list(Plan([Encoding(prompts)], prompts, decoding).parts(2))

    assert [(part.prefill, part.decode) for part in parts] == [
        (prompts[:2], []),
        (prompts[2:], decoding[:1]),
        ([], decoding[1:3]),
        ([], decoding[3:]),
    ]
    assert [part.encodings for part in parts] == [[]] * 4


@pytest.mark.parametrize(
    ("slots", "kept"), [(1, 0), (2, 1), (7, 1), (8, 1), (9, 2), (16, 2), (17, 3), (64, 8)]
)
def test_background_leaves_an_eighth_of_the_slots_rounded_up(slots: int, kept: int) -> None:
    scheduler = Scheduler(slots, encode_batch=64)
    added(scheduler, slots + 1, background=True)
    all_encoded(scheduler)

    assert (scheduler.busy, scheduler.waiting) == (slots - kept, kept + 1)


@pytest.mark.parametrize(("slots", "due"), [(4, 1), (5, 2), (8, 2), (16, 4)])
def test_background_that_is_owed_time_is_given_a_quarter_of_the_slots_first(
    slots: int, due: int
) -> None:
    scheduler = Scheduler(slots, encode_batch=64)
    added(scheduler, 1)
    encoded(scheduler)
    late = added(scheduler, slots, background=True)
    short = added(scheduler, slots)
    # A step of the short ones has passed while there was work for both.
    scheduler.ran(1.0)
    scheduler.schedule()

    assert [sequence.slot is not None for sequence in late].count(True) == due
    assert [sequence.slot is not None for sequence in short].count(True) == slots - 1 - due


def test_background_that_is_owed_nothing_comes_after_short_ones() -> None:
    scheduler = Scheduler(4, encode_batch=64)
    late, short = added(scheduler, 4, background=True), added(scheduler, 4)
    scheduler.schedule()

    assert [sequence.slot for sequence in late] == [None] * 4
    assert [sequence.slot for sequence in short] == [0, 1, 2, 3]


def is_background(scheduler: Scheduler) -> bool:
    """Whether the next step is the background lane's."""
    return scheduler.schedule().prefill[0].window.lane == "background"


def both(slots: int = 4) -> Scheduler:
    """A row of each lane, decoding."""
    scheduler = Scheduler(slots, encode_batch=1)
    for background in (True, False):
        added(scheduler, 1, background=background)
        encoded(scheduler)
    return scheduler


def test_background_is_next_once_it_is_owed_anything() -> None:
    scheduler = both()
    assert not is_background(scheduler)
    scheduler.ran(1.0)
    assert is_background(scheduler)
    scheduler.ran(0.25)  # of which three quarters are the short ones'
    assert is_background(scheduler)
    scheduler.ran(0.25)
    assert not is_background(scheduler)


def test_that_it_had_too_much_is_forgotten_after_a_second() -> None:
    scheduler = both()
    scheduler.schedule()
    scheduler.ran(1.0)
    assert is_background(scheduler)
    scheduler.ran(1000.0)
    waited = 0.0
    while not is_background(scheduler):
        scheduler.ran(0.125)
        waited += 0.125

    # At a quarter of the time a second takes four, and then it is owed something.
    assert waited == 4.125


def test_nothing_is_owed_while_a_lane_is_idle() -> None:
    scheduler = both()
    scheduler.schedule()
    scheduler.ran(1.0)
    (short,) = [s for s in scheduler.running if s.window.lane != "background"]
    scheduler.release(short)
    scheduler.ran(1.0)
    added(scheduler, 1)
    encoded(scheduler)

    assert not is_background(scheduler)


def test_slots_are_given_from_the_lowest_and_rows_stand_in_their_order() -> None:
    scheduler = Scheduler(4, encode_batch=1)
    first, second, third = added(scheduler, 3)
    all_encoded(scheduler)
    scheduler.release(second)
    scheduler.release(first)
    late, later = added(scheduler, 2)
    all_encoded(scheduler)

    assert [late.slot, later.slot, third.slot] == [0, 1, 2]
    assert scheduler.schedule().prefill == [late, later, third]


def test_windows_whose_encoding_broke_off_are_next_again_in_their_order() -> None:
    scheduler = Scheduler(4, encode_batch=2)
    first, second, third = added(scheduler, 3)
    (encoding,) = scheduler.schedule().encodings
    scheduler.requeue(encoding)

    assert (scheduler.busy, scheduler.waiting) == (0, 3)
    assert encoded(scheduler) == [first, second]
    assert encoded(scheduler) == [third]


def test_windows_that_are_given_up_leave_their_slots() -> None:
    scheduler = Scheduler(4, encode_batch=2)
    first, second, third = added(scheduler, 3)
    (encoding,) = scheduler.schedule().encodings
    scheduler.give_up(encoding)

    assert (scheduler.busy, scheduler.waiting) == (0, 1)
    assert (first.stage, second.stage) == (None, None)
    assert encoded(scheduler) == [third]


@pytest.mark.parametrize("everything", [True, False])
def test_drain_takes_what_runs_and_what_waits_where_asked(everything: bool) -> None:
    scheduler = Scheduler(2, encode_batch=1)
    decoding, encoding, queued = added(scheduler, 3)
    encoded(scheduler)
    scheduler.schedule()
    drained = scheduler.drain(waiting=everything)

    assert drained == [encoding, decoding, *([queued] if everything else [])]
    assert (scheduler.busy, scheduler.waiting) == (0, 0 if everything else 1)
    assert scheduler.is_idle == everything
    assert [sequence.slot for sequence in drained] == [None] * len(drained)
    assert {sequence.stage for sequence in drained} == {None}


@pytest.mark.parametrize("background", [True, False])
def test_room_beside_a_row_is_what_nobody_waits_for(background: bool) -> None:
    scheduler = Scheduler(3, encode_batch=1)
    (row,) = added(scheduler, 1, background=background)
    encoded(scheduler)

    assert scheduler.has_spare_slot(row)
    scheduler.join(waiting(background=background))
    # The last one is kept for a short recording.
    assert scheduler.has_spare_slot(row) == (not background)
    added(scheduler, 1, background=background)
    assert not scheduler.has_spare_slot(row)


@pytest.mark.parametrize(("lane", "has_room"), [("short", True), ("job", False)])
def test_later_attempts_of_requests_do_not_give_way_to_jobs(lane: LaneName, has_room: bool) -> None:
    scheduler = Scheduler(4, encode_batch=1)
    row = waiting(lane=lane, temperatures=(0.0, 0.2))
    scheduler.add(row)
    all_encoded(scheduler)
    beside = row.fork()
    scheduler.join(beside)
    added(scheduler, 3, lane="job")

    assert scheduler.has_spare_slot(row) == has_room
    scheduler.schedule()
    assert (beside.slot is not None) == has_room


def test_row_that_joins_decodes_beside_the_first_in_slot_order() -> None:
    scheduler = Scheduler(4, encode_batch=1)
    first, second = added(scheduler, 2)
    all_encoded(scheduler)
    scheduler.release(first)
    joined = waiting()
    scheduler.join(joined)

    assert (joined.slot, joined.stage) == (0, "decode")
    assert scheduler.schedule().prefill == [joined, second]


def attempts(scheduler: Scheduler, count: int) -> list[Sequence]:
    """A window that makes so many attempts beside each other."""
    first = waiting(temperatures=tuple(0.1 * number for number in range(count)))
    scheduler.add(first)
    all_encoded(scheduler)
    beside = [first.fork() for _ in range(count - 1)]
    for row in beside:
        scheduler.join(row)
    return [first, *beside]


@pytest.mark.parametrize(("come", "left"), [(1, 4), (2, 3), (3, 2), (4, 1), (5, 0), (6, 0)])
def test_later_attempts_give_way_to_windows_that_wait_the_last_ones_first(
    come: int, left: int
) -> None:
    scheduler = Scheduler(6, encode_batch=64)
    made = attempts(scheduler, 5)
    late = added(scheduler, come)
    scheduler.schedule()

    # One slot was free.
    assert [row.slot is not None for row in made] == [True] * (left + 1) + [False] * (4 - left)
    assert [each.slot is not None for each in late].count(True) == min(come, 5)
    assert made[0].attempts.are_left == (left < 4)


def test_window_that_is_cancelled_is_counted_once_whatever_its_rows() -> None:
    scheduler = Scheduler(6, encode_batch=64)
    made = attempts(scheduler, 3)
    made[0].future.cancel()
    scheduler.schedule()

    assert (scheduler.dropped, scheduler.busy) == (1, 0)
    assert scheduler.is_idle


def test_where_they_overlap_a_step_is_the_lanes_by_their_rows() -> None:
    scheduler = Scheduler(8, encode_batch=64, overlaps=True)
    added(scheduler, 1, background=True), added(scheduler, 3)
    all_encoded(scheduler)
    late = added(scheduler, 8, background=True)
    # One row of four: just what is its share, so nothing is owed.
    scheduler.schedule()
    scheduler.ran(8.0)
    scheduler.schedule()

    assert [each.slot is not None for each in late].count(True) == 3


def test_batch_that_memory_allows_bounds_what_is_encoded_together() -> None:
    scheduler = Scheduler(8, encode_batch=8)
    added(scheduler, 8)
    scheduler.encode_limit.ran_out(8)

    assert len(encoded(scheduler)) == 4


LANES: tuple[LaneName, ...] = ("short", "live", "background", "job")


def decoding(*lanes: LaneName) -> Scheduler:
    """A row of each lane, decoding; the last lanes go before the first ones."""
    scheduler = Scheduler(8, encode_batch=1)
    for lane in lanes:
        added(scheduler, 1, lane=lane)
        encoded(scheduler)
    return scheduler


def next_lane(scheduler: Scheduler) -> LaneName:
    return scheduler.schedule().prefill[0].window.lane


def test_short_recordings_go_before_live_updates_long_files_and_background_jobs() -> None:
    scheduler = decoding("job", "background", "live", "short")
    order = []
    for _ in LANES:
        order.append(next_lane(scheduler))
        (first,) = [row for row in scheduler.running if row.window.lane == order[-1]]
        scheduler.release(first)
    assert tuple(order) == LANES


def test_job_leaves_seven_eighths_of_the_time_to_others() -> None:
    scheduler = decoding("job", "short")
    seconds: dict[LaneName, float] = dict.fromkeys(LANES, 0.0)
    for _ in range(1000):
        lane = next_lane(scheduler)
        # A step of a job takes nine times as long.
        took = 0.09 if lane == "job" else 0.01
        seconds[lane] += took
        scheduler.ran(took)
    assert seconds["job"] / sum(seconds.values()) == pytest.approx(JOB_SHARE, abs=0.01)


@pytest.mark.parametrize("overlaps", [False, True])
@pytest.mark.parametrize("slots", [3, 8, 16])
def test_every_lane_has_its_share_where_all_have_work_all_the_time(
    slots: int, *, overlaps: bool
) -> None:
    scheduler = Scheduler(slots, encode_batch=1, overlaps=overlaps)
    for lane in LANES[::-1]:
        added(scheduler, 2 * slots, lane=lane)
    steps: dict[LaneName, float] = dict.fromkeys(LANES, 0.0)
    left: dict[Sequence, int] = {}
    for _ in range(3000):
        plan = scheduler.schedule()
        in_step = [s for each in plan.encodings for s in each.sequences] + plan.prefill
        for sequence in (*in_step, *plan.decode):
            steps[sequence.window.lane] += 1 / len((*in_step, *plan.decode))
        for encoding in plan.encodings:
            scheduler.encoded(encoding)
        for sequence in (*plan.prefill, *plan.decode):
            left[sequence] = left.get(sequence, 10 + len(left) % 16) - 1
            if not left[sequence]:
                scheduler.release(sequence)
                added(scheduler, 1, lane=sequence.window.lane)
        scheduler.ran(0.01)

    shares = {lane: count / sum(steps.values()) for lane, count in steps.items()}
    assert shares["live"] >= LIVE_SHARE - 0.05
    assert shares["background"] >= BACKGROUND_SHARE - 0.05
    assert shares["job"] >= JOB_SHARE - 0.05
    assert shares["short"] >= 1 - LIVE_SHARE - BACKGROUND_SHARE - JOB_SHARE - 0.1


def test_live_updates_leave_slots_to_short_recordings() -> None:
    scheduler = Scheduler(8, encode_batch=64)
    added(scheduler, 9, lane="live")
    all_encoded(scheduler)
    (short,) = added(scheduler, 1)
    scheduler.schedule()

    assert (scheduler.busy, short.slot is not None) == (8, True)


def test_a_live_update_that_is_superseded_leaves_at_once() -> None:
    scheduler = decoding("live", "short")
    (update,) = [row for row in scheduler.running if row.window.lane == "live"]
    update.future.cancel()
    scheduler.schedule()

    assert (update.slot, scheduler.dropped, scheduler.busy) == (None, 1, 1)


def with_rows(**counts: int) -> Scheduler:
    """So many rows in each lane, all of them with a token or two."""
    scheduler = Scheduler(16, encode_batch=16)
    for lane in LANES[::-1]:
        added(scheduler, counts.get(lane, 0), lane=lane)
        all_encoded(scheduler)
    for row in scheduler.running:
        row.tokens = [7]
    return scheduler


def decoded(scheduler: Scheduler) -> dict[LaneName, int]:
    """How many rows of each lane the next step decodes; lanes without any are left out."""
    return dict(Counter(row.window.lane for row in scheduler.schedule().decode))


def test_a_short_recordings_step_decodes_two_live_rows_and_none_of_the_background() -> None:
    scheduler = with_rows(short=1, live=5, background=3)
    assert decoded(scheduler) == {"short": 1, "live": 2}


def test_a_step_of_a_lower_lane_decodes_the_rows_of_those_before_it() -> None:
    owed = with_rows(short=3, live=0, background=2)
    decoded(owed)
    owed.ran(1.0)
    assert decoded(owed) == {"short": 3, "background": 2}
    live = with_rows(live=2, background=3)
    assert decoded(live) == {"live": 2}


def test_rows_of_other_lanes_are_in_slot_order_and_wait_until_their_prompt_is_fed() -> None:
    scheduler = with_rows(short=2, live=2)
    plan = scheduler.schedule()
    assert [row.slot for row in plan.decode] == [0, 1, 2, 3]
    for row in plan.decode:
        row.tokens = []
    fed = scheduler.schedule()
    assert ({row.window.lane for row in fed.prefill}, fed.decode) == ({"short"}, [])


def test_rows_in_another_lanes_step_count_for_a_fifth_of_it_each() -> None:
    scheduler = with_rows(short=1, live=5)
    assert decoded(scheduler)["live"] == 2
    # Two fifths are more than the live lane's quarter: the next step is not its own.
    scheduler.ran(1.0)
    assert decoded(scheduler)["live"] == 2
    alone = with_rows(short=1, live=1)
    decoded(alone)
    alone.ran(1.0)
    # One fifth is less.
    added(alone, 1, lane="live")
    assert [each.sequences[0].window.lane for each in alone.schedule().encodings] == ["live"]


def test_nothing_decodes_beside_an_encoding() -> None:
    scheduler = with_rows(live=2)
    added(scheduler, 1)
    plan = scheduler.schedule()
    assert ([each.sequences[0].window.lane for each in plan.encodings], plan.decode) == (
        ["short"],
        [],
    )
