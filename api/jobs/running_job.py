"""A job at work: how far it is, and the events of its segments until they are written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from api.responses.segment_events import segment_event
from models.jobs.event_file import EventFile
from models.jobs.job import Job
from models.request_stats import RequestStats
from models.text.transcript import Segment

T = TypeVar("T")


class RunningJob:
    """A job that this worker works on, in `task`; `add` is called with each of its segments.

    One that `is_over` has an outcome, which is being stored, or is cancelled.
    Of a job that is tried again, those that were told by an earlier attempt are not told twice.
    """

    def __init__(self, job: Job, events: EventFile) -> None:
        self.job, self.stats = job, RequestStats()
        self.task: asyncio.Task[None] | None = None
        self.is_over = False
        self._file = events
        self._events: list[str] = []
        self._written: int | None = None
        self._writing = asyncio.Lock()

    @property
    def percent(self) -> int:
        """How much of the recording is done; of its length only a guess is known at first."""
        stats = self.stats
        read = stats.audio_seconds
        total = read if stats.is_read else max(read, self.job.seconds)
        return int(100 * min(stats.done_seconds, total) / total) if total else 0

    def add(self, segment: Segment) -> None:
        """Note a segment, whose words are told if the job has them."""
        event = segment_event(segment, self.stats.audio_seconds)
        self._events.append(event.model_dump_json())

    async def write(self) -> None:
        """Write the events that are new; raises `OSError` where there is no room."""
        async with self._writing:
            if self._written is None:
                self._written = await asyncio.to_thread(self._file.mend)
            new = self._events[self._written :]
            if new and not self.is_over:
                # Until they are there nobody knows how far the file goes.
                written, self._written = self._written + len(new), None
                await in_full(partial(self._file.append, new))
                self._written = written

    async def begin_anew(self) -> None:
        """Forget what an attempt has told; what of it is written is not told twice."""
        async with self._writing:
            self.stats, self._events = RequestStats(), []

    async def end_writing(self) -> None:
        """Return when nothing is being written, nor will be."""
        self.is_over = True
        async with self._writing:
            return

    def cancel(self) -> None:
        """Stop the work."""
        if self.task:
            self.task.cancel()


async def in_full(write: Callable[[], T]) -> T:
    """Call it in a thread; a cancellation waits for its end, after which nothing changes."""
    writing = asyncio.ensure_future(asyncio.to_thread(write))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise
