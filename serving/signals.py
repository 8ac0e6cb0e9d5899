"""Signals that end the server, whatever circus is doing when they come."""

from __future__ import annotations

import json
import signal
from functools import partial
from typing import Any

from circus.arbiter import Arbiter

# Until it is looked again whether circus is done with what it was doing.
_TURN_SECONDS = 0.05


def heed_signals(arbiter: Arbiter) -> None:
    """Let the signals that end the server wait their turn, SIGHUP among them unless it is ignored.

    circus drops a command that comes while it is at another one, as when it replaces a worker. At
    SIGHUP it would stop the workers that serve, and serve with others when these have loaded.
    """
    # circus says of neither that it is there, which both are by now.
    control: Any = arbiter.ctrl
    loop: Any = arbiter.loop

    def end() -> None:
        if arbiter._exclusive_running_command:  # noqa: SLF001 - the only way to know
            loop.call_later(_TURN_SECONDS, end)
        else:
            control.dispatch((None, json.dumps({"command": "quit"})))

    handler = control.sys_hdl
    handler.quit = handler.reload = partial(loop.add_callback_from_signal, end)
    if handler._old[signal.SIGHUP] is signal.SIG_IGN:  # noqa: SLF001 - as `nohup` has set it
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
