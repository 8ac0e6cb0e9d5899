"""malloc_trim when idle: a worker gives free memory back to the system while no request runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from models.engine.counters import EngineState

IDLE_SECONDS = 10.0


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


async def trim_when_idle(
    pool: Pool, trim: Callable[[], None], seconds: float = IDLE_SECONDS
) -> None:
    """Call `trim` in a thread whenever no model has done a step for `seconds`, until cancelled.

    Once for each idle period: memory that is given back must be taken anew, which costs the next
    request milliseconds.
    """
    seen = trimmed = 0
    while True:
        await asyncio.sleep(seconds)
        steps = sum(model.state().counters.steps for model in pool.loaded.values())
        if steps == seen != trimmed:
            await asyncio.to_thread(trim)
            trimmed = steps
        seen = steps
