"""The pool of models: loaded once, never taken from a request, within the budget."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.capacity.model_pool import ModelPool, PoolLimits, room_problem
from models.errors import ModelLoadError, OverloadedError


@dataclass(eq=False)
class Loaded:
    """A model of a hundred bytes that can be closed once."""

    name: str
    nbytes: int = 100
    closed: bool = False

    def close(self) -> None:
        """Note it."""
        assert not self.closed
        self.closed = True


@dataclass
class Loader:
    """Makes models when `open` is set, and fails where it is told to."""

    failures: list[Exception] = field(default_factory=list)
    made: list[Loaded] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    given_back: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    def __call__(self, name: str) -> Loaded:
        """A new model."""
        assert self.open.wait(120)
        if self.failures:
            raise self.failures.pop()
        self.made.append(Loaded(name))
        return self.made[-1]

    def give_back(self) -> None:
        """Count how often memory was given back; what has left is closed by then."""
        self.given_back += 1
        assert sum(model.closed for model in self.made) >= self.given_back

    @property
    def names(self) -> list[str]:
        """What was loaded, in order."""
        return [model.name for model in self.made]


@pytest.fixture
def loader() -> Loader:
    return Loader()


Scenario = Callable[[ModelPool[Loaded]], Coroutine[Any, Any, None]]


def run(loader: Loader, scenario: Scenario, **limits: float) -> None:
    """The scenario with a pool of the resident model `r`, and of `a`, `b` and `c` on demand."""
    resident = {"r": Loaded("r")}
    sizes = dict.fromkeys("abc", 100)
    bounds = PoolLimits(**limits)  # type: ignore[arg-type]
    pool = ModelPool(resident, sizes, loader, bounds, loader.give_back)

    async def played() -> None:
        async with asyncio.timeout(120):
            await scenario(pool)

    try:
        asyncio.run(played())
    finally:
        loader.open.set()
        pool.close()
    assert all(model.closed for model in [*resident.values(), *loader.made])


async def used(pool: ModelPool[Loaded], name: str) -> Loaded:
    async with pool.use(name) as model:
        assert not model.closed
        return model


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what threads do sets no event
        await asyncio.sleep(0.005)


def test_model_is_loaded_at_its_first_use_and_stays(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        assert set(pool.loaded) == {"r"}
        assert await used(pool, "a") is await used(pool, "a")
        assert set(pool.loaded) == {"r", "a"}
        assert pool.nbytes == 200

    run(loader, scenario)
    assert loader.names == ["a"]


def test_first_requests_at_the_same_time_load_once(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        models = await asyncio.gather(*(used(pool, "a") for _ in range(20)))
        assert len(set(map(id, models))) == 1

    run(loader, scenario)
    assert loader.names == ["a"]


def test_resident_model_is_used_while_another_is_loading(loader: Loader) -> None:
    loader.open.clear()

    async def scenario(pool: ModelPool[Loaded]) -> None:
        loading = asyncio.create_task(used(pool, "a"))
        await asyncio.sleep(0.05)
        assert (await used(pool, "r")).name == "r"
        assert not loading.done()
        loader.open.set()
        assert (await loading).name == "a"

    run(loader, scenario)


def test_who_waits_too_long_is_told_to_come_again_and_the_loading_goes_on(loader: Loader) -> None:
    loader.open.clear()

    async def scenario(pool: ModelPool[Loaded]) -> None:
        with pytest.raises(OverloadedError, match="'a' is loading") as refused:
            await used(pool, "a")
        assert refused.value.retry_after > 0
        loader.open.set()
        await until(lambda: "a" in pool.loaded)
        await used(pool, "a")

    run(loader, scenario, wait_seconds=0.05)
    assert loader.names == ["a"]


def test_who_goes_away_while_waiting_does_not_end_the_loading(loader: Loader) -> None:
    loader.open.clear()

    async def scenario(pool: ModelPool[Loaded]) -> None:
        first, second = (asyncio.create_task(used(pool, "a")) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        loader.open.set()
        assert (await second).name == "a"

    run(loader, scenario)
    assert loader.names == ["a"]


def test_failed_load_is_told_to_all_who_wait_and_tried_again_by_the_next(loader: Loader) -> None:
    loader.failures.append(OSError("/secret/path: no such file"))
    loader.open.clear()

    async def scenario(pool: ModelPool[Loaded]) -> None:
        waiting = [asyncio.create_task(used(pool, "a")) for _ in range(3)]
        await asyncio.sleep(0.05)
        loader.open.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [ModelLoadError] * 3
        assert str(results[0]) == "The model 'a' could not be loaded."
        assert (await used(pool, "b")).name == "b"
        assert (await used(pool, "a")).name == "a"

    run(loader, scenario)


def test_failed_load_without_anybody_waiting_is_no_unheard_error(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    loader.failures.append(OSError("gone"))
    loader.open.clear()

    async def scenario(pool: ModelPool[Loaded]) -> None:
        with pytest.raises(OverloadedError):
            await used(pool, "a")
        loader.open.set()
        await until(lambda: not loader.failures)
        await used(pool, "b")

    run(loader, scenario, wait_seconds=0.05)
    assert [record.getMessage() for record in caplog.records] == ["a could not be loaded"]


def test_the_least_recently_used_leaves_where_memory_is_needed(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        for name in ("a", "b", "a", "c"):
            await used(pool, name)
        assert set(pool.loaded) == {"r", "a", "c"}
        await used(pool, "b")
        assert set(pool.loaded) == {"r", "c", "b"}

    run(loader, scenario, budget=300)
    assert loader.names == ["a", "b", "c", "b"]
    assert loader.given_back == 2


def test_model_in_use_is_never_unloaded(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        async with pool.use("a") as held, AsyncExitStack() as others:
            await used(pool, "b")
            await others.enter_async_context(pool.use("c"))
            assert set(pool.loaded) == {"r", "a", "c"}
            with pytest.raises(OverloadedError, match="no room for 'b'") as refused:
                await used(pool, "b")
            assert refused.value.retry_after > 0
            assert not held.closed
        await used(pool, "b")

    run(loader, scenario, budget=300, idle_seconds=60)


def test_model_somebody_waits_for_is_not_unloaded_before_it_is_used(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        both = [asyncio.create_task(used(pool, name)) for name in "ab"]
        first, second = await asyncio.gather(*both, return_exceptions=True)
        assert isinstance(first, Loaded)
        assert isinstance(second, OverloadedError)
        await used(pool, "b")

    run(loader, scenario, budget=200)


def test_idle_model_is_unloaded_and_loaded_again(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        first = await used(pool, "a")
        await until(lambda: set(pool.loaded) == {"r"})
        await until(lambda: loader.given_back == 1)
        assert first.closed
        assert await used(pool, "a") is not first

    run(loader, scenario, idle_seconds=0.05)


def test_use_begins_the_idle_time_anew(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        begin = last = time.monotonic()
        async with pool.use("a") as held:
            await asyncio.sleep(0.4)
            assert not held.closed
        while time.monotonic() - begin < 1.2:
            # On a busy machine it may have been left for as long.
            assert await used(pool, "a") is held or time.monotonic() - last >= 0.3
            last = time.monotonic()
            await asyncio.sleep(0.01)

    run(loader, scenario, idle_seconds=0.3)


def test_model_stays_until_those_who_were_told_to_come_again_could(loader: Loader) -> None:
    loader.open.clear()

    async def scenario(pool: ModelPool[Loaded]) -> None:
        with pytest.raises(OverloadedError) as refused:
            await used(pool, "a")
        loader.open.set()
        await until(lambda: "a" in pool.loaded)
        await asyncio.sleep(refused.value.retry_after)
        assert "a" in pool.loaded
        await until(lambda: loader.given_back == 1)
        assert set(pool.loaded) == {"r"}

    run(loader, scenario, wait_seconds=0.05, idle_seconds=0.05, retry_seconds=0.5)


def test_unknown_name_is_a_key_error(loader: Loader) -> None:
    async def scenario(pool: ModelPool[Loaded]) -> None:
        with pytest.raises(KeyError):
            await used(pool, "nobodys")

    run(loader, scenario)


MIB = 2**20


@pytest.mark.parametrize(
    ("resident", "on_demand", "problem"),
    [
        ({"r": 4 * MIB}, {"a": 6 * MIB, "b": 5 * MIB}, None),
        ({"r": 10 * MIB}, {}, None),
        ({"r": 10 * MIB + 1}, {}, "r need 11 MiB"),
        ({"r": 4 * MIB, "s": MIB}, {"a": 6 * MIB}, "r, s need 5 MiB, and a 6 MiB beside them"),
    ],
)
def test_budget_without_room_for_a_model_is_told(
    resident: dict[str, int], on_demand: dict[str, int], problem: str | None
) -> None:
    assert room_problem(resident, on_demand, 10 * MIB) == problem
