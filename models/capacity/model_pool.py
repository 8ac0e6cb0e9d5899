"""Model pool: loading on demand within a memory budget, LRU eviction, unloading when idle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from models.errors import ModelLoadError, OverloadedError
from models.units import MIB

# When to come again, in seconds, for a model that has no room.
_RETRY_ROOM = 10.0

logger = logging.getLogger(__name__)


class Model(Protocol):
    """A loaded model; `nbytes` is the memory it holds."""

    @property
    def nbytes(self) -> int:
        """Bytes of its weights and caches."""
        ...

    def close(self) -> None:
        """Stop what it runs; its memory goes with its last reference."""
        ...


M = TypeVar("M", bound=Model)
R = TypeVar("R")


@dataclass(frozen=True)
class PoolLimits:
    """`budget` is for all loaded models, in bytes, 0 for any; `idle_seconds` 0 means for ever.

    `wait_seconds` is how long a request waits for a model that is being loaded; it is then told to
    come again after `retry_seconds`.
    """

    budget: int = 0
    idle_seconds: float = 0.0
    wait_seconds: float = 10.0
    retry_seconds: float = 5.0


@dataclass(eq=False)
class _OnDemandModel(Generic[M]):
    """A model that is loaded on demand; `users` counts those that have it or wait for it."""

    name: str
    expected: int
    model: M | None = None
    loading: asyncio.Task[M] | None = None
    users: int = 0
    last_used: float = 0.0
    unload_at: float = 0.0
    idle_timer: asyncio.TimerHandle | None = None


def room_problem(
    resident: Mapping[str, int], on_demand: Mapping[str, int], budget: int
) -> str | None:
    """The problem with a budget in which not every model fits, or None; all in bytes."""
    kept = sum(resident.values())
    name, largest = max(on_demand.items(), key=lambda item: item[1], default=(None, 0))
    if kept + largest <= budget:
        return None
    needed = f"{', '.join(resident)} need {_mib(kept)} MiB"
    return needed if name is None else f"{needed}, and {name} {_mib(largest)} MiB beside them"


def _mib(size: int) -> int:
    return -(-size // MIB)


class ModelPool(Generic[M]):
    """`resident` models stay; those of `on_demand`, with the bytes expected of them, come and go.

    `load` makes a model of a name, in a thread; `give_back` is called there when one has left. One
    is loaded or unloaded at a time. All but the constructor belongs to one event loop.
    """

    def __init__(
        self,
        resident: Mapping[str, M],
        on_demand: Mapping[str, int],
        load: Callable[[str], M],
        limits: PoolLimits,
        give_back: Callable[[], None],
    ) -> None:
        self.resident = dict(resident)
        self._on_demand = {name: _OnDemandModel[M](name, size) for name, size in on_demand.items()}
        self._load_model, self._give_back, self._limits = load, give_back, limits
        self._load_lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "whisper-load")
        self._unloading: set[asyncio.Task[None]] = set()

    @property
    def loaded(self) -> dict[str, M]:
        """The loaded models, by name."""
        on_demand_models = {
            entry.name: entry.model for entry in self._on_demand.values() if entry.model
        }
        return self.resident | on_demand_models

    @property
    def nbytes(self) -> int:
        """The bytes of all loaded models together."""
        return sum(model.nbytes for model in self.loaded.values())

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[M]:
        """A model that stays loaded within the block; it is loaded first where it has to be.

        Raises:
            KeyError: the pool has no such model.
            OverloadedError: it is still loading, or those in use leave it no room.
            ModelLoadError: it cannot be loaded.
        """
        if name in self.resident:
            yield self.resident[name]
            return
        entry = self._on_demand[name]
        entry.users += 1
        if entry.idle_timer:
            entry.idle_timer.cancel()
        try:
            yield entry.model or await self._loaded(entry)
        finally:
            entry.users -= 1
            self._start_idle_timer(entry)

    def close(self) -> None:
        """Stop all models."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        for model in self.loaded.values():
            model.close()

    async def _loaded(self, entry: _OnDemandModel[M]) -> M:
        """The model once it is loaded; loading goes on without anyone waiting for it."""
        if entry.loading is None:
            entry.loading = asyncio.create_task(self._load(entry))
            # Nobody may be waiting any more when it fails.
            entry.loading.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(self._limits.wait_seconds):
                return await asyncio.shield(entry.loading)
        except TimeoutError:
            message = f"The model '{entry.name}' is loading. Try again in a few seconds."
            raise OverloadedError(message, self._limits.retry_seconds) from None

    async def _load(self, entry: _OnDemandModel[M]) -> M:
        try:
            async with self._load_lock:
                await self._evict_until_fits(entry)
                entry.model = await self._in_thread(self._load_model, entry.name)
        except OverloadedError:
            raise
        except Exception as error:
            logger.exception("%s could not be loaded", entry.name)
            raise ModelLoadError(entry.name) from error
        finally:
            entry.loading = None
            # Those who were told to come again find it loaded.
            self._start_idle_timer(entry, at_least=2 * self._limits.retry_seconds)
        return entry.model

    async def _evict_until_fits(self, wanted: _OnDemandModel[M]) -> None:
        """LRU eviction: unload models without users, least recently used first, until it fits."""
        budget = self._limits.budget
        while budget and self.nbytes + wanted.expected > budget:
            idle = [entry for entry in self._on_demand.values() if entry.model and not entry.users]
            if not idle:
                message = f"Other models are in use and leave no room for '{wanted.name}'."
                raise OverloadedError(message, _RETRY_ROOM)
            await self._unload(min(idle, key=lambda entry: entry.last_used))

    async def _unload(self, entry: _OnDemandModel[M]) -> None:
        assert entry.model is not None
        close, entry.model = entry.model.close, None
        await self._in_thread(close)
        del close
        await self._in_thread(self._give_back)
        logger.info("%s unloaded", entry.name)

    def _start_idle_timer(self, entry: _OnDemandModel[M], at_least: float = 0.0) -> None:
        """Start the idle timer of a model without users; it is unloaded at its end."""
        loop = asyncio.get_running_loop()
        entry.last_used = loop.time()
        if entry.model and not entry.users and self._limits.idle_seconds:
            entry.unload_at = entry.last_used + max(self._limits.idle_seconds, at_least)
            entry.idle_timer = loop.call_at(entry.unload_at, self._on_idle, entry)

    def _on_idle(self, entry: _OnDemandModel[M]) -> None:
        task = asyncio.create_task(self._unload_idle(entry))
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)

    async def _unload_idle(self, entry: _OnDemandModel[M]) -> None:
        async with self._load_lock:
            # While this waited, it may have been used, or unloaded.
            is_due = asyncio.get_running_loop().time() >= entry.unload_at
            if entry.model and not entry.users and is_due:
                await self._unload(entry)

    async def _in_thread(self, work: Callable[..., R], *arguments: object) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
