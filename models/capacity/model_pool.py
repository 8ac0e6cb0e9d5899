"""Models that are loaded when they are asked for, within a budget, and leave when nobody does."""

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
class _Holder(Generic[M]):
    """A model that comes and goes; `users` are those that have it or wait for it."""

    name: str
    expected: int
    model: M | None = None
    loading: asyncio.Task[M] | None = None
    users: int = 0
    used: float = 0.0
    leaves: float = 0.0
    rest: asyncio.TimerHandle | None = None


def room_problem(
    resident: Mapping[str, int], on_demand: Mapping[str, int], budget: int
) -> str | None:
    """What is wrong with a budget in which not every model can have room; all in bytes."""
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
        self._places = {name: _Holder[M](name, size) for name, size in on_demand.items()}
        self._load_model, self._give_back, self._limits = load, give_back, limits
        self._changing = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "whisper-load")
        self._unloading: set[asyncio.Task[None]] = set()

    @property
    def loaded(self) -> dict[str, M]:
        """The loaded models, by name."""
        come = {place.name: place.model for place in self._places.values() if place.model}
        return self.resident | come

    @property
    def nbytes(self) -> int:
        """What the loaded models hold together."""
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
        place = self._places[name]
        place.users += 1
        if place.rest:
            place.rest.cancel()
        try:
            yield place.model or await self._loaded(place)
        finally:
            place.users -= 1
            self._left(place)

    def close(self) -> None:
        """Stop all models."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        for model in self.loaded.values():
            model.close()

    async def _loaded(self, place: _Holder[M]) -> M:
        """The model once it is there; the loading goes on when nobody waits for it any more."""
        if place.loading is None:
            place.loading = asyncio.create_task(self._load(place))
            # Nobody may be waiting any more when it fails.
            place.loading.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(self._limits.wait_seconds):
                return await asyncio.shield(place.loading)
        except TimeoutError:
            message = f"The model '{place.name}' is loading. Try again in a few seconds."
            raise OverloadedError(message, self._limits.retry_seconds) from None

    async def _load(self, place: _Holder[M]) -> M:
        try:
            async with self._changing:
                await self._make_room(place)
                place.model = await self._in_thread(self._load_model, place.name)
        except OverloadedError:
            raise
        except Exception as error:
            logger.exception("%s could not be loaded", place.name)
            raise ModelLoadError(place.name) from error
        finally:
            place.loading = None
            # Those who were told to come again find it loaded.
            self._left(place, at_least=2 * self._limits.retry_seconds)
        return place.model

    async def _make_room(self, wanted: _Holder[M]) -> None:
        """Unload what nobody uses, the least recently used first, until `wanted` fits."""
        budget = self._limits.budget
        while budget and self.nbytes + wanted.expected > budget:
            idle = [place for place in self._places.values() if place.model and not place.users]
            if not idle:
                message = f"Other models are in use and leave no room for '{wanted.name}'."
                raise OverloadedError(message, _RETRY_ROOM)
            await self._unload(min(idle, key=lambda place: place.used))

    async def _unload(self, place: _Holder[M]) -> None:
        assert place.model is not None
        close, place.model = place.model.close, None
        await self._in_thread(close)
        del close
        await self._in_thread(self._give_back)
        logger.info("%s unloaded", place.name)

    def _left(self, place: _Holder[M], at_least: float = 0.0) -> None:
        """A model that nobody uses any more rests, and leaves after a while."""
        loop = asyncio.get_running_loop()
        place.used = loop.time()
        if place.model and not place.users and self._limits.idle_seconds:
            place.leaves = place.used + max(self._limits.idle_seconds, at_least)
            place.rest = loop.call_at(place.leaves, self._rested, place)

    def _rested(self, place: _Holder[M]) -> None:
        task = asyncio.create_task(self._unload_idle(place))
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)

    async def _unload_idle(self, place: _Holder[M]) -> None:
        async with self._changing:
            # While this waited, it may have been used, or unloaded.
            is_due = asyncio.get_running_loop().time() >= place.leaves
            if place.model and not place.users and is_due:
                await self._unload(place)

    async def _in_thread(self, work: Callable[..., R], *arguments: object) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
