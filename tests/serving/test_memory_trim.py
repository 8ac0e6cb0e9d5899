"""Memory is given back once for each idle period."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from models.engine.counters import EngineCounters, EngineState
from serving.memory_trim import give_memory_back
from tests.leaping_loop import leap

PERIOD = 0.05


@dataclass
class Steps:
    """A model that counts steps, and how often memory was given back after how many of them."""

    counters: EngineCounters = field(default_factory=EngineCounters)
    trimmed: list[int] = field(default_factory=list)

    def state(self) -> EngineState:
        """Idle, with the steps so far."""
        return EngineState("cpu", "int8", 0, 0, 16, self.counters)

    @property
    def loaded(self) -> dict[str, Steps]:
        """Itself, as a pool of one model."""
        return {"base": self}

    def trim(self) -> None:
        """Note it."""
        self.trimmed.append(self.counters.steps)


def test_each_idle_period_gives_back_once() -> None:
    async def scenario(pool: Steps) -> None:
        trimming = asyncio.create_task(give_memory_back(pool, pool.trim, PERIOD))
        await asyncio.sleep(4 * PERIOD)
        assert pool.trimmed == []  # nothing has been done yet
        for periods in (1, 2):
            for _ in range(20):
                pool.counters.steps += 1
                await asyncio.sleep(PERIOD / 10)
            await asyncio.sleep(6 * PERIOD)
            assert pool.trimmed == [20, 40][:periods]
        trimming.cancel()

    leap(scenario(Steps()))


def test_work_without_an_idle_period_gives_back_now_and_then() -> None:
    async def scenario(pool: Steps) -> None:
        trimming = asyncio.create_task(give_memory_back(pool, pool.trim, PERIOD))
        for _ in range(150):
            pool.counters.steps += 1
            await asyncio.sleep(PERIOD / 10)
        assert len(pool.trimmed) == 2
        trimming.cancel()

    leap(scenario(Steps()))
