"""malloc_trim when idle, and now and then: a worker gives free memory back to the system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from models.engine.counters import EngineState

IDLE_SECONDS = 10.0
# Periods of work without an idle one between. A call takes some 30 ms of one thread, and what it
# gives back is taken anew: so a minute.
_BUSY_PERIODS = 6


class Model(Protocol):
    """What runs on an engine."""

    def state(self) -> EngineState:
        """What the engine does, and has done."""
        ...


class Pool(Protocol):
    """Models that come and go."""

    @property
    def loaded(self) -> Mapping[str, Model]:
        """Those that are there, by name."""
        ...


async def give_memory_back(
    pool: Pool, trim: Callable[[], None], seconds: float = IDLE_SECONDS
) -> None:
    """Call `trim` in a thread once for each idle period, and now and then between, until cancelled.

    Idle are `seconds` without a step of any model. Memory that is given back must be taken anew,
    which costs the next request milliseconds. A worker that is never idle, as where live streams
    never pause, does so every six times `seconds`.
    """
    seen = trimmed = busy = 0
    while True:
        await asyncio.sleep(seconds)
        steps = sum(model.state().counters.steps for model in pool.loaded.values())
        busy = 0 if steps == seen else busy + 1
        if steps != trimmed and busy in (0, _BUSY_PERIODS):
            await asyncio.to_thread(trim)
            trimmed, busy = steps, 0
        seen = steps
