"""Tests of how far a request is said to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from api.responses.progress_events import WorkProgress
from api.responses.streaming import Progress
from models.capacity.fair_queue import QueueEstimate, Ticket
from models.request_stats import RequestStats
from tests.api.fake import SEGMENTS


def in_loop(scenario: Callable[[Ticket, RequestStats], None]) -> None:
    async def run() -> None:
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        scenario(Ticket("", 100.0, 100, admitted), RequestStats())

    asyncio.run(run())


def told(progress: WorkProgress) -> dict[str, Any]:
    event = progress.event().model_dump()
    assert event.pop("type") == "transcription.progress"
    return event


def test_from_the_queue_to_the_end() -> None:
    now = 50.0

    def scenario(ticket: Ticket, stats: RequestStats) -> None:
        nonlocal now
        progress = WorkProgress(ticket, lambda: QueueEstimate(3, 41.26), stats, lambda: now)
        nothing = {"audio_seconds_done": 0.0, "audio_seconds": 100.0}
        assert told(progress) == {
            "phase": "queued",
            "position": 3,
            **nothing,
            "seconds_left": 41.3,
        }

        ticket.admitted.set_result(None)
        running = {"position": 0, "seconds_left": None, **nothing}
        assert told(progress) == {"phase": "loading", **running}
        stats.enter(None, "encode")
        assert told(progress) == {"phase": "working", **running}

        now, stats.done_seconds = 60.0, 25.0
        assert told(progress) == {
            "phase": "working",
            "position": 0,
            "audio_seconds_done": 25.0,
            "audio_seconds": 100.0,
            "seconds_left": 30.0,
        }

        stats.audio_seconds, stats.is_read, stats.done_seconds = 90.0, True, 90.0
        assert (told(progress)["audio_seconds"], told(progress)["seconds_left"]) == (90.0, 0.0)

    in_loop(scenario)


def test_recording_that_is_longer_than_it_is_said_to_be() -> None:
    def scenario(ticket: Ticket, stats: RequestStats) -> None:
        ticket.admitted.set_result(None)
        stats.audio_seconds = 130.0

        progress = WorkProgress(ticket, lambda: QueueEstimate(0, 0.0), stats)
        assert told(progress)["audio_seconds"] == 130.0

    in_loop(scenario)


def test_segments_are_told_apart_however_fast_they_come_and_wait_for_nothing() -> None:
    async def scenario() -> list[bool]:
        progress = Progress(every=0.05)
        found: list[bool] = []
        progress.add(SEGMENTS[0])
        async for segment in progress:
            found.append(segment is not None)
            if found.count(False) == 3:
                break
            if segment is not None:
                await asyncio.sleep(0.01)
                progress.add(SEGMENTS[0])
        return found

    found = asyncio.run(asyncio.wait_for(scenario(), 120))
    # A pause has one of its own, and segments that are there already come before it.
    assert found[0]
    assert found.count(False) == 3
    assert (False, False) not in pairwise(found)
