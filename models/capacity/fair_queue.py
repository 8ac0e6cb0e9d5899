"""Fair queue: round robin over keys, first in, first out within each."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from models.capacity.throughput import Throughput


@dataclass(eq=False)
class Ticket:
    """A recording's place in the queue; `admitted` is done when it may be worked on.

    `seconds` is how long it is said to be, until somebody knows better; `cost` is its part of the
    queue, in whole seconds.
    """

    key: str
    seconds: float
    cost: int
    admitted: asyncio.Future[None]


@dataclass(frozen=True)
class QueueEstimate:
    """The queue estimate of a recording that comes now.

    `position` is its place in the queue: 1 is the next one, 0 does not wait. `seconds` until its
    turn are an estimate.
    """

    position: int
    seconds: float


class FairQueue:
    """A round robin over keys that have recordings waiting; `at_once` are worked on.

    `held` is what each key has here, waiting and running, in seconds.
    """

    def __init__(self, at_once: int, clock: Callable[[], float]) -> None:
        self.at_once = at_once
        self.throughput = Throughput(clock)
        self.held: Counter[str] = Counter()
        self.running: set[Ticket] = set()
        # The key whose turn is next comes first.
        self._waiting_by_key: dict[str, deque[Ticket]] = {}

    @property
    def waiting(self) -> int:
        """The number of tickets that wait for their turn."""
        return sum(map(len, self._waiting_by_key.values()))

    def add(self, ticket: Ticket) -> None:
        """Put it behind those of its key."""
        if not self.running:
            self.throughput.begin()
        self.held[ticket.key] += ticket.cost
        self._waiting_by_key.setdefault(ticket.key, deque()).append(ticket)
        self._admit()

    def remove(self, ticket: Ticket) -> None:
        """Take it out, wherever it is; others follow."""
        self.held[ticket.key] -= ticket.cost
        if not self.held[ticket.key]:
            del self.held[ticket.key]
        if ticket in self.running:
            self.running.remove(ticket)
        else:
            self._waiting_by_key[ticket.key].remove(ticket)
            if not self._waiting_by_key[ticket.key]:
                del self._waiting_by_key[ticket.key]
        self._admit()

    def estimate(self, key: str) -> QueueEstimate:
        """The estimate for a key, with all others as long as those here are on average."""
        present = self.waiting + len(self.running)
        if present < self.at_once:
            return QueueEstimate(0, 0.0)
        return self._at(key, len(self._waiting_by_key.get(key, ())) + 1)

    def estimate_of(self, ticket: Ticket) -> QueueEstimate:
        """The estimate for one that waits here, as things are now; for any other, no wait."""
        same = self._waiting_by_key.get(ticket.key, deque())
        if ticket not in same:
            return QueueEstimate(0, 0.0)
        return self._at(ticket.key, same.index(ticket) + 1)

    def _at(self, key: str, rank: int) -> QueueEstimate:
        others = (len(tickets) for other, tickets in self._waiting_by_key.items() if other != key)
        position = rank + sum(min(length, rank) for length in others)
        mean = self.held.total() / (self.waiting + len(self.running))
        return QueueEstimate(position, position * mean / self.throughput.rate)

    def _admit(self) -> None:
        while self._waiting_by_key and len(self.running) < self.at_once:
            key = next(iter(self._waiting_by_key))
            tickets = self._waiting_by_key.pop(key)
            ticket = tickets.popleft()
            if tickets:
                self._waiting_by_key[key] = tickets
            self.running.add(ticket)
            # One that was given up while it waited has yet to take itself out.
            if not ticket.admitted.done():
                ticket.admitted.set_result(None)
