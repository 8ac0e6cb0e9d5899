"""Who runs next: waiting windows of all requests, free slots, running sequences (no torch)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from models.engine.sequence import Sequence


@dataclass(frozen=True)
class Plan:
    """One step's work: windows to encode, prompts to feed, rows that decode one token."""

    encode: list[Sequence]
    prefill: list[Sequence]
    decode: list[Sequence]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run."""
        return not (self.encode or self.prefill or self.decode)


class Scheduler:
    """First come, first served; a sequence keeps its slot until it is released."""

    def __init__(self, slots: int, encode_batch: int) -> None:
        self.encode_batch = encode_batch
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []
        self.dropped = 0
        self._free = sorted(range(slots), reverse=True)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self.waiting and not self.running

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence behind those that wait."""
        self.waiting.append(sequence)

    def schedule(self) -> Plan:
        """Drop what nobody waits for, admit what fits, and say what this step runs."""
        self._drop_abandoned()
        admitted = self._admit()
        prefill = [s for s in self.running if not s.tokens]
        decode = [s for s in self.running if s.tokens]
        return Plan(admitted, prefill, decode)

    def release(self, sequence: Sequence) -> None:
        """Free a finished sequence's slot."""
        assert sequence.slot is not None
        self.running.remove(sequence)
        self._free.append(sequence.slot)
        # The lowest slot goes first: running rows stay neighbours and are read without a copy.
        self._free.sort(reverse=True)
        sequence.slot = None

    def drain(self, *, waiting: bool) -> list[Sequence]:
        """Take out what runs, and also what waits where asked."""
        sequences = list(self.running)
        for sequence in sequences:
            self.release(sequence)
        if waiting:
            sequences.extend(self.waiting)
            self.waiting.clear()
        return sequences

    def _drop_abandoned(self) -> None:
        kept = deque(s for s in self.waiting if not s.abandoned)
        abandoned = [s for s in self.running if s.abandoned]
        self.dropped += len(self.waiting) - len(kept) + len(abandoned)
        self.waiting = kept
        for sequence in abandoned:
            self.release(sequence)

    def _admit(self) -> list[Sequence]:
        admitted: list[Sequence] = []
        while self.waiting and self._free and len(admitted) < self.encode_batch:
            sequence = self.waiting.popleft()
            sequence.slot = self._free.pop()
            admitted.append(sequence)
        self.running.extend(admitted)
        # In slot order, so that neighbouring slots make one view of the cache.
        self.running.sort(key=lambda s: s.slot or 0)
        return admitted
