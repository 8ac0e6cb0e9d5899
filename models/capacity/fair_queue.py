"""Recordings of one kind: some are worked on, and for the others the keys take turns."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from models.capacity.throughput import Throughput


@dataclass(eq=False)
class Ticket:
    """A recording's place in the queue; its `turn` comes when it may be worked on.

    `seconds` is how long it is said to be, until somebody knows better; `cost` is its part of the
    queue, in whole seconds.
    """

    key: str
    seconds: float
    cost: int
    turn: asyncio.Future[None]


@dataclass(frozen=True)
class QueueEstimate:
    """What a recording that comes now has before it.

    `position` is its place in the line: 1 is the next one, 0 waits for nobody. `seconds` until its
    turn are an estimate.
    """

    position: int
    seconds: float


class FairQueue:
    """So many places `at_once`; in a key's own line first come is first served.

    `held` is what each key has here, waiting and running, in seconds.
    """

    def __init__(self, at_once: int, clock: Callable[[], float]) -> None:
        self.at_once = at_once
        self.throughput = Throughput(clock)
        self.held: Counter[str] = Counter()
        self.running: set[Ticket] = set()
        # The key whose turn is next comes first.
        self._lines: dict[str, deque[Ticket]] = {}

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(map(len, self._lines.values()))

    def add(self, place: Ticket) -> None:
        """Put it behind those of its key."""
        if not self.running:
            self.throughput.begin()
        self.held[place.key] += place.cost
        self._lines.setdefault(place.key, deque()).append(place)
        self._give()

    def remove(self, place: Ticket) -> None:
        """Take it out, wherever it is; others follow."""
        self.held[place.key] -= place.cost
        if not self.held[place.key]:
            del self.held[place.key]
        if place in self.running:
            self.running.remove(place)
        else:
            self._lines[place.key].remove(place)
            if not self._lines[place.key]:
                del self._lines[place.key]
        self._give()

    def estimate(self, key: str) -> QueueEstimate:
        """What is before a recording of this key, each as long as those here are on average."""
        there = self.waiting + len(self.running)
        if there < self.at_once:
            return QueueEstimate(0, 0.0)
        own = len(self._lines.get(key, ())) + 1
        others = (len(line) for other, line in self._lines.items() if other != key)
        position = own + sum(min(length, own) for length in others)
        mean = self.held.total() / there
        return QueueEstimate(position, position * mean / self.throughput.rate)

    def _give(self) -> None:
        while self._lines and len(self.running) < self.at_once:
            key = next(iter(self._lines))
            line = self._lines.pop(key)
            place = line.popleft()
            if line:
                self._lines[key] = line
            self.running.add(place)
            # One that was given up while it waited has yet to take itself out.
            if not place.turn.done():
                place.turn.set_result(None)
