"""An event loop whose clock leaps over every wait, so that no time depends on the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from selectors import DefaultSelector, SelectorKey
from typing import Any, TypeVar

T = TypeVar("T")


class _Clock(DefaultSelector):
    """A selector that waits for nothing that has a time: the time has come at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What is ready; else the clock is set on by the time to wait."""
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.now += timeout
        return ready


class _LeapingLoop(asyncio.SelectorEventLoop):
    """Its time is that of the waits so far: computing takes none."""

    def __init__(self) -> None:
        self._waits = _Clock()
        super().__init__(self._waits)

    def time(self) -> float:
        """Seconds since its beginning."""
        return self._waits.now


class _AtOnce(ThreadPoolExecutor):
    """Works in the calling thread: the clock leaps for nobody who works in another."""

    def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        """What the work gives."""
        done: Future[Any] = Future()
        done.set_result(fn(*arguments, **named))
        return done


def leap(work: Coroutine[Any, Any, T]) -> T:
    """What it gives, as by `asyncio.run`, with no time between."""
    with asyncio.Runner(loop_factory=_LeapingLoop) as runner:
        runner.get_loop().set_default_executor(_AtOnce())
        return runner.run(work)
