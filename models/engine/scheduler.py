"""Continuous batching scheduler: waiting windows, free slots, running sequences (no torch)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from models.engine.decoding.sequence import LaneName, Sequence
from models.engine.device.oom_backoff import BatchBackoff

# A lower lane's share of the time in which others have work too, at least; and of the slots, which
# it is given before others as long as it gets less.
LIVE_SHARE = 0.25
BACKGROUND_SHARE = 0.25
JOB_SHARE = 0.125
# Seconds of more than that which are remembered.
_MAX_CREDIT = 1.0
# Rows of a lower lane that decode in a step of a higher one, at most; and the part of the step that
# each counts for, which is about what a row adds to it: the weights are read once for all.
_MAX_RIDERS = 2
_RIDER_PART = 0.2


@dataclass(eq=False)
class Encoding:
    """Windows being encoded together; `work` is the rest of it, once begun, a layer at a time.

    One that is dropped leaves `sequences` and has no slot any more; the work goes on for the rest.
    """

    sequences: list[Sequence]
    work: Iterator[None] | None = None


@dataclass(frozen=True)
class Plan:
    """One step's work: windows to encode further, prompts to feed and rows to decode."""

    encodings: list[Encoding]
    prefill: list[Sequence]
    decode: list[Sequence]

    @property
    def has_rows(self) -> bool:
        """True if there are prompts to feed or rows to decode."""
        return bool(self.prefill or self.decode)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to run."""
        return not (self.encodings or self.has_rows)

    def parts(self, maximum: int) -> Iterator[Plan]:
        """Its prompts and rows, at most so many at once."""
        rows = [*self.prefill, *self.decode]
        for start in range(0, len(rows), maximum):
            yield _plan([], rows[start : start + maximum])


@dataclass(eq=False)
class Lane:
    """Windows that are served first come, first served: waiting, being encoded, decoding.

    `share` is guaranteed of the time, or 0; `owed` the seconds of it that are still to come, and
    `part` how much of the scheduled step is the lane's.
    """

    share: float = 0.0
    owed: float = 0.0
    part: float = 0.0
    waiting: deque[Sequence] = field(default_factory=deque)
    encoding: Encoding | None = None
    running: list[Sequence] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """True if nothing waits and nothing has a slot."""
        return not self.waiting and not self.holders

    @property
    def holders(self) -> list[Sequence]:
        """The sequences that have a slot."""
        return [*(self.encoding.sequences if self.encoding else ()), *self.running]

    def ran(self, seconds: float, *, others_work: bool) -> None:
        """Note a step; nothing is owed to a lane that has no work, or has all the time."""
        if self.is_idle or not others_work:
            self.owed = 0.0
        else:
            self.owed = max(self.owed + seconds * (self.share - self.part), -_MAX_CREDIT)


class Scheduler:
    """Four lanes: short recordings, updates of live turns, long files, and background jobs.

    Each goes before those behind it, and those have a guaranteed share of the time: a short clip
    does not wait behind a long file, and no file waits for ever. The final text of a live turn is a
    short recording's.
    Within a lane, rows decode when no more windows can be encoded: all slots are taken, or nothing
    waits; some of other lanes decode with them. Where encoding and decoding overlap, the rows of
    all lanes decode together, whatever is being encoded. A sequence keeps its slot until it is
    released; the lower lanes leave an eighth of the slots, one at least, unless there is only one,
    or they have had less than their share.

    Rows that make a window's later attempts in parallel take slots that no window waits for, and
    are preempted when one does.
    """

    def __init__(self, slots: int, encode_batch: int, *, overlaps: bool = False) -> None:
        self.slots, self.encode_limit = slots, BatchBackoff(encode_batch)
        self._overlaps = overlaps
        self.dropped = 0
        # The first goes before the others.
        self._by_name: dict[LaneName, Lane] = {
            "short": Lane(),
            "live": Lane(LIVE_SHARE),
            "background": Lane(BACKGROUND_SHARE),
            "job": Lane(JOB_SHARE),
        }
        self._lanes = tuple(self._by_name.values())
        self._reserved = -(-slots // 8) if slots > 1 else 0
        self._free = sorted(range(slots), reverse=True)

    @property
    def waiting(self) -> int:
        """Windows without a slot."""
        return sum(len(lane.waiting) for lane in self._lanes)

    @property
    def busy(self) -> int:
        """Slots in use."""
        return self.slots - len(self._free)

    @property
    def running(self) -> list[Sequence]:
        """The sequences that have a slot."""
        return [sequence for lane in self._lanes for sequence in lane.holders]

    @property
    def is_idle(self) -> bool:
        """True if nothing waits and nothing runs."""
        return all(lane.is_idle for lane in self._lanes)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence behind those of its lane that wait."""
        self._lane(sequence).waiting.append(sequence)

    def schedule(self) -> Plan:
        """Drop what is cancelled, admit what fits, and plan this step."""
        self._drop_cancelled()
        self._admit()
        if self._overlaps:
            return self._everything()
        lane = self._next_lane()
        for each in self._lanes:
            each.part = float(each is lane)
        if lane.encoding:
            # A step takes little longer for many rows than for a few: they wait for each other.
            return _plan([lane.encoding], [])
        rows = [*lane.running, *self._riders(lane)]
        # In slot order, so that neighbouring slots make one view of the cache.
        return _plan([], sorted(rows, key=lambda row: row.slot or 0))

    def ran(self, seconds: float) -> None:
        """Note how long the scheduled step took."""
        working = sum(not lane.is_idle for lane in self._lanes)
        for lane in self._lanes[1:]:
            lane.ran(seconds, others_work=working > 1)

    def encoded(self, encoding: Encoding) -> None:
        """Let windows whose encoding is complete decode."""
        lane = self._lane(encoding.sequences[0])
        assert lane.encoding is encoding
        lane.encoding = None
        for sequence in encoding.sequences:
            sequence.enter("decode")
        lane.running.extend(encoding.sequences)
        # In slot order, so that neighbouring slots make one view of the cache.
        lane.running.sort(key=lambda s: s.slot or 0)

    def has_spare_slot(self, sequence: Sequence) -> bool:
        """True if a slot is free that no window waits for, for another row of this one's window."""
        reserved = 0 if sequence.window.lane == "short" else self._reserved
        return not self._waiting_for(sequence) and len(self._free) > reserved

    def join(self, row: Sequence) -> None:
        """Let a row decode in a free slot, without an encoding of its own."""
        row.slot = self._free.pop()
        row.enter("decode")
        lane = self._lane(row)
        lane.running.append(row)
        lane.running.sort(key=lambda s: s.slot or 0)

    def requeue(self, encoding: Encoding) -> None:
        """Let windows whose encoding broke off wait again, before all others of their lane."""
        self.give_up(encoding)
        lane = self._lane(encoding.sequences[0])
        lane.waiting.extendleft(reversed(encoding.sequences))

    def give_up(self, encoding: Encoding) -> None:
        """Take out windows that are being encoded, and free their slots."""
        self._lane(encoding.sequences[0]).encoding = None
        for sequence in encoding.sequences:
            self._release_slot(sequence)

    def release(self, sequence: Sequence) -> None:
        """Free the slot of a sequence that was decoding, or being encoded."""
        lane = self._lane(sequence)
        if sequence in lane.running:
            lane.running.remove(sequence)
        elif lane.encoding:
            lane.encoding.sequences.remove(sequence)
            if not lane.encoding.sequences:
                lane.encoding = None
        self._release_slot(sequence)

    def drain(self, *, waiting: bool) -> list[Sequence]:
        """Take out what runs, and also what waits where asked."""
        sequences = self.running
        for sequence in sequences:
            self._release_slot(sequence)
        for lane in self._lanes:
            lane.encoding = None
            lane.running.clear()
            if waiting:
                for sequence in lane.waiting:
                    sequence.enter(None)
                sequences.extend(lane.waiting)
                lane.waiting.clear()
        return sequences

    def _everything(self) -> Plan:
        encodings = [lane.encoding for lane in self._lanes if lane.encoding]
        rows = [sequence for lane in self._lanes for sequence in lane.running]
        for lane in self._lanes:
            lane.part = len(lane.holders) / max(1, len(self.running))
        return _plan(encodings, rows)

    def _riders(self, lane: Lane) -> list[Sequence]:
        """Rows of short recordings and of live updates that decode in another lane's step.

        All of those that go before it, and a few of those behind it. Long recordings have many
        rows, and steps of their own.
        """
        riders: list[Sequence] = []
        place = self._lanes.index(lane)
        for number, other in enumerate([self._by_name["short"], self._by_name["live"]]):
            if other is not lane:
                rows = [row for row in other.running if row.is_prefilled]
                rows = rows if number < place else rows[:_MAX_RIDERS]
                other.part = _RIDER_PART * len(rows)
                riders += rows
        return riders

    def _next_lane(self) -> Lane:
        """The one that is owed most or, where none is, the first one with work."""
        working = [lane for lane in self._lanes if lane.holders] or [self._lanes[0]]
        most = max(working, key=lambda lane: lane.owed)
        return most if most.owed > 0 else working[0]

    def _lane(self, sequence: Sequence) -> Lane:
        return self._by_name[sequence.window.lane]

    def _release_slot(self, sequence: Sequence) -> None:
        assert sequence.slot is not None
        self._free.append(sequence.slot)
        # The lowest slot goes first: running rows stay neighbours.
        self._free.sort(reverse=True)
        sequence.slot = None
        sequence.enter(None)

    def _drop_cancelled(self) -> None:
        for lane in self._lanes:
            for sequence in [s for s in lane.waiting if s.is_cancelled]:
                self.dropped += 1
                lane.waiting.remove(sequence)
                sequence.enter(None)
            for sequence in [s for s in lane.holders if s.is_settled]:
                # A window counts once, however many rows it has.
                self.dropped += sequence.is_cancelled and sequence is sequence.attempts.rows[0]
                self.release(sequence)

    def _admit(self) -> None:
        """Give free slots to windows that wait: a lane's next ones, when it encodes none."""
        self._preempt()
        first, *lower = self._lanes
        for lane in lower:
            due = ceil(self.slots * lane.share) - len(lane.holders) if lane.owed > 0 else 0
            self._begin(lane, min(due, len(self._free)))
        self._begin(first, len(self._free))
        for lane in lower:
            self._begin(lane, len(self._free) - self._reserved)

    def _preempt(self) -> None:
        """Take slots back from later attempts at windows, which are then made one after another."""
        forks = [
            row for row in self.running if row.attempt > min(r.attempt for r in row.attempts.rows)
        ]
        forks.sort(key=lambda row: row.attempt, reverse=True)
        for row in forks:
            if self._waiting_for(row) > len(self._free):
                row.attempts.postpone(row)
                self.release(row)

    def _waiting_for(self, row: Sequence) -> int:
        """The windows that wait and would have a row's slot: a job's has none but other jobs'."""
        jobs = self._by_name["job"]
        return self.waiting - (0 if self._lane(row) is jobs else len(jobs.waiting))

    def _begin(self, lane: Lane, maximum: int) -> None:
        count = min(maximum, self.encode_limit.now, len(lane.waiting))
        if lane.encoding or count < 1:
            return
        lane.encoding = Encoding([lane.waiting.popleft() for _ in range(count)])
        for sequence in lane.encoding.sequences:
            sequence.slot = self._free.pop()
            sequence.enter("encode")


def _plan(encodings: list[Encoding], rows: list[Sequence]) -> Plan:
    prefill = [row for row in rows if not row.is_prefilled]
    return Plan(encodings, prefill, [row for row in rows if row.is_prefilled])
