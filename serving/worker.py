"""Graceful shutdown of a worker: draining at SIGTERM, and a parent-death signal."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from api.middleware.draining import Drain
from serving.scratch import enter_scratch, wait_for_end

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def join_parent() -> None:
    """Keep temporary files where the parent removes them, and end when the parent has died."""
    if scratch := enter_scratch():
        Thread(target=_end_after_parent, args=(scratch,), name="parent", daemon=True).start()


def drain_before_exit(drain: Drain) -> None:
    """Let SIGTERM and SIGINT begin to drain; uvicorn, which stops listening first, waits for it.

    To be called in the event loop of a uvicorn server; without one there is nothing to do.
    """
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):
        return
    ending = _Ending(drain, lambda: stop(signal.SIGTERM, None))
    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        loop.add_signal_handler(each, ending.begin)


def end_worker() -> None:
    """Let this worker end as if it were told to; its parent starts another, unless it ends too."""
    os.kill(os.getpid(), signal.SIGTERM)


class _Ending:
    """The first signal counts: service managers and the parent may both send one."""

    def __init__(self, drain: Drain, stop: Callable[[], object]) -> None:
        self._drain, self._stop = drain, stop
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to end, if that has not begun."""
        if self._task is None:
            self._drain.begin()
            self._task = asyncio.create_task(self._drained())

    async def _drained(self) -> None:
        await self._drain.done()
        self._stop()


def _end_after_parent(scratch: Path) -> None:
    wait_for_end(scratch)
    end_worker()
