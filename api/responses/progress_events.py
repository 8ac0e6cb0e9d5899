"""Progress events of a stream, from the counters of its request."""

from __future__ import annotations

import time
from collections.abc import Callable

from api.stream_schemas import TranscriptionProgress
from models.capacity.fair_queue import QueueEstimate, Ticket
from models.request_stats import RequestStats


class WorkProgress:
    """How far a request is: read when it is asked, so that the work itself does nothing for it.

    `estimate` gives what is before it in the queue now.
    """

    def __init__(
        self,
        ticket: Ticket,
        estimate: Callable[[], QueueEstimate],
        stats: RequestStats,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ticket, self._estimate = ticket, estimate
        self._stats, self._clock = stats, clock
        self._began: float | None = None

    def event(self) -> TranscriptionProgress:
        """The event of this moment."""
        stats, total = self._stats, self._total()
        done, place = min(stats.done_seconds, total), QueueEstimate(0, 0.0)
        if not self._ticket.admitted.done():
            place = self._estimate()
        elif self._began is None:
            self._began = self._clock()
        is_working = done > 0 or stats.stages["encode"].began is not None
        return TranscriptionProgress(
            phase="queued" if self._began is None else "working" if is_working else "loading",
            position=place.position,
            audio_seconds_done=round(done, 3),
            audio_seconds=round(total, 3),
            seconds_left=self._left(done, total, place),
        )

    def _total(self) -> float:
        """As long as the recording is said to be, until it has been read to its end."""
        read = self._stats.audio_seconds
        return read if self._stats.is_read else max(read, self._ticket.seconds)

    def _left(self, done: float, total: float, place: QueueEstimate) -> float | None:
        """By the speed so far; of one that is queued, until its turn."""
        if self._began is None:
            return round(place.seconds, 1)
        if not done:
            return None
        return round((self._clock() - self._began) * (total - done) / done, 1)
