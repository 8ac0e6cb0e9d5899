"""malloc_trim when idle: a worker gives free memory back to the system while no request runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from models.engine.counters import EngineState

REST_SECONDS = 10.0


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
    pool: Pool, trim: Callable[[], None], seconds: float = REST_SECONDS
) -> None:
    """Call `trim` in a thread whenever no model has done a step for so long, until cancelled.

    Once for each rest, as what is returned must be taken anew: milliseconds for the next request.
    """
    seen = trimmed = 0
    while True:
        await asyncio.sleep(seconds)
        steps = sum(model.state().counters.steps for model in pool.loaded.values())
        if steps == seen != trimmed:
            await asyncio.to_thread(trim)
            trimmed = steps
        seen = steps
