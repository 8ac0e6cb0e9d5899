"""Blocking calls in threads that nobody waits for when the program ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_daemon_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The call's result, from a thread of its own.

    A storage that hangs would keep a thread of `asyncio.to_thread`, and that the end of a program
    that was interrupted. Raises what the call does.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(set_it: Callable[[], None]) -> None:
        if not done.done():
            set_it()

    def run() -> None:
        set_it: Callable[[], None]
        try:
            result = call(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - of whatever kind, the caller has it
            failure = error
            set_it = lambda: done.set_exception(failure)  # noqa: E731
        else:
            set_it = lambda: done.set_result(result)  # noqa: E731
        # The loop may have been closed meanwhile: then nobody waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, set_it)

    threading.Thread(target=run, daemon=True).start()
    return await done
