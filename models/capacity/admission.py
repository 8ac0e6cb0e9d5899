"""Admission control: recordings at work, waiting or refused, by their audio seconds."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.capacity.fair_queue import FairQueue, QueueEstimate, Ticket
from models.errors import OverloadedError

# One window's.
SHORT_SECONDS = 30
# Each has up to 16 windows with the engine: enough for the slots though one is being opened, and
# another goes window by window.
LONG_AT_ONCE = 4
# Of the queue, what is left to short recordings: as of the slots (engine/scheduler.py).
SHORT_SHARE = 1 / 8


def long_at_once(slots: int) -> int:
    """How many long recordings are worked on at once."""
    return max(LONG_AT_ONCE, slots // 8)


class Admission:
    """A queue that holds up to so many audio `seconds`, those at work included; one for a device.

    Short recordings and long ones wait in two queues, and each queue has places of its own: a short
    clip does not wait behind a long file. Long ones leave an eighth of the queue to short ones. A
    recording longer than the queue counts as one that fills it: without others any is taken.

    With `short_wait`, short ones that would wait longer than so many seconds in their queue are
    refused: what is late is of no use to who speaks with a machine.

    In a queue, keys take turns. What a key has there already must fit into what is left once more:
    so a key alone gets half of the queue, several get equal parts, and always one is left for the
    next. Without keys, anybody may fill it.
    """

    def __init__(
        self,
        seconds: int,
        slots: int,
        short_wait: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.short_wait = short_wait
        # Recordings that were given up, waiting or at work.
        self.cancelled = 0
        # While as many are decoded, as many are read and encoded.
        self._short = FairQueue(2 * slots, clock)
        self._long = FairQueue(long_at_once(slots), clock)

    @property
    def held(self) -> int:
        """Audio seconds waiting and at work."""
        return self._short.held.total() + self._long.held.total()

    @property
    def waiting(self) -> int:
        """Recordings that wait for their turn."""
        return self._short.waiting + self._long.waiting

    @property
    def running(self) -> int:
        """Recordings at work."""
        return len(self._short.running) + len(self._long.running)

    def estimate(self, seconds: float, key: str = "") -> QueueEstimate:
        """The queue estimate of a recording of this length that comes now."""
        return self._queue_of(seconds).estimate(key)

    def estimate_of(self, ticket: Ticket) -> QueueEstimate:
        """The queue estimate of one that is in the queue already."""
        return self._queue_of(ticket.seconds).estimate_of(ticket)

    @contextmanager
    def ticket(self, seconds: float, key: str = "") -> Iterator[Ticket]:
        """A ticket of the queue until the end of the block; its `admitted` is to be awaited.

        Raises:
            OverloadedError: the queue is full.
        """
        queue = self._queue_of(seconds)
        cost = min(max(1, math.ceil(seconds)), self._maximum(queue))
        if (excess := self._excess(queue, cost, key)) > 0:
            message = "The server has as much to transcribe as it takes. Try again later."
            raise OverloadedError(message, excess / queue.throughput.rate)
        ticket = Ticket(key, seconds, cost, asyncio.get_running_loop().create_future())
        queue.add(ticket)
        try:
            yield ticket
            queue.throughput.finish(ticket.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            queue.remove(ticket)

    def _queue_of(self, seconds: float) -> FairQueue:
        return self._short if seconds <= SHORT_SECONDS else self._long

    def _maximum(self, queue: FairQueue) -> int:
        """The most that recordings of this queue may hold together, in audio seconds."""
        if queue is self._long:
            return self.seconds - int(self.seconds * SHORT_SHARE)
        if self.short_wait:
            return min(self.seconds, max(1, int(self.short_wait * queue.throughput.rate)))
        return self.seconds

    def _excess(self, queue: FairQueue, cost: int, key: str) -> int:
        """The audio seconds to be done before this fits; it does up to 0."""
        left = min(self.seconds - self.held, self._maximum(queue) - queue.held.total())
        again = queue.held[key] if key else 0
        return cost + again - left
