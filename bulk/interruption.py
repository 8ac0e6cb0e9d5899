"""Interruption: work of asyncio that a signal cancels, so that it ends in its own way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


def run_until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    """Run it. SIGINT, SIGTERM and SIGHUP cancel it, and a second one ends the process.

    A SIGHUP that is ignored, as by nohup, stays ignored.

    Raises:
        KeyboardInterrupt: it was cancelled.
    """

    async def run() -> None:
        with _cancelling(asyncio.get_running_loop(), asyncio.current_task()):
            await work

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@contextmanager
def _cancelling(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any] | None) -> Iterator[None]:
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def interrupt() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
        if task is not None:
            task.cancel()

    # Not in a thread: there no signal comes.
    with suppress(RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
