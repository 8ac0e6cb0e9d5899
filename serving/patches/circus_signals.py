"""Graceful shutdown by signals, in the place of circus's handlers, which lose some of them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circus.arbiter import Arbiter

# How often it is looked whether circus is done with what it was doing.
_POLL_SECONDS = 0.05


def handle_signals(arbiter: Arbiter, kill: Callable[[], object]) -> None:
    """Let the first signal end the server, SIGHUP too unless it is ignored.

    A second one does `kill`, but SIGHUP: of a terminal that closes several may come. circus drops a
    command that comes while it is at another one, as when it replaces a worker. At SIGHUP it would
    stop the workers that serve, and serve with others when these have loaded.
    """
    # circus says of neither that it is there, which both are by now.
    control: Any = arbiter.ctrl
    loop: Any = arbiter.loop
    earlier = count()

    def end() -> None:
        if arbiter._exclusive_running_command:  # noqa: SLF001 - the only way to know
            loop.call_later(_POLL_SECONDS, end)
        else:
            control.dispatch((None, json.dumps({"command": "quit"})))

    def on_signal(again: Callable[[], object]) -> None:
        if next(earlier):
            again()
        else:
            loop.add_callback_from_signal(end)

    handler = control.sys_hdl
    handler.quit, handler.reload = partial(on_signal, kill), partial(on_signal, lambda: None)
    if handler._old[signal.SIGHUP] is signal.SIG_IGN:  # noqa: SLF001 - as `nohup` has set it
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
