"""Supervisor of worker processes, in the place of circus's watcher: restart, bounded end, kill."""

from __future__ import annotations

import logging
import signal
from asyncio import Future
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import circus.watcher
from circus.watcher import Watcher

from serving.patches.circus_signals import handle_signals

if TYPE_CHECKING:
    from circus.arbiter import Arbiter

# Grace period past the time that requests have to finish; then a worker is killed.
KILL_AFTER_SECONDS = 5
# How often dead workers are looked for; BentoML's is 10.
CHECK_SECONDS = 1
# Give up after this many workers in a row that could not start.
MAX_FAILED_STARTS = 3

logger = logging.getLogger("bentoml.whisper")


def replace_watcher(shutdown_seconds: float, clear_after: Callable[[int], bool]) -> None:
    """Make BentoML, which is about to start its workers, start them under a `Supervisor`.

    `clear_after` removes what a worker has left behind, by its process id, and tells whether it got
    as far as to run. BentoML imports circus's watcher when it needs it.
    """
    circus.watcher.Watcher = partial(  # type: ignore[misc, assignment]  # used as a callable
        Supervisor, shutdown_seconds, clear_after
    )


class Supervisor(Watcher):
    """circus's keeper of the workers, as a server wants it.

    - A worker that dies is replaced, also where BentoML would not: in a container.
    - Workers that cannot start end the server, which then exits with a status of its own.
    - A worker that does not end in time is killed, and at a second signal all are.
    - A worker alone is told to end, not its children, which its requests may still need.
    - Temporary files of a worker go with it.
    """

    def __init__(
        self, shutdown_seconds: float, clear_after: Callable[[int], bool], **options: object
    ) -> None:
        ours = {
            "stop_children": False,
            "graceful_timeout": shutdown_seconds + KILL_AFTER_SECONDS,
            "hooks": {"after_reap": (self._after_reap, True)},
        }
        super().__init__(**options | ours)
        self._clear_after = clear_after
        self._failed_starts = 0

    def initialize(self, evpub_socket: object, sockets: object, arbiter: Arbiter) -> None:
        """Take what the arbiter gives, which is about to start."""
        super().initialize(evpub_socket, sockets, arbiter)
        arbiter.ctrl.check_delay = CHECK_SECONDS * 1000  # type: ignore[union-attr]  # it has one
        handle_signals(arbiter, self._kill)

    def manage_processes(self) -> Future[None]:
        """Start as many workers as are missing, also where BentoML has set `respawn=False`.

        circus's own first forgets those that it finds dead, and so misses the end of a worker whose
        first thread has ended before the others: that one cannot be reaped yet.
        """
        if self.is_stopping() or len(self.processes) > self.numprocesses:
            return super().manage_processes()
        return self.spawn_processes()

    def _after_reap(self, *, process_pid: int, exit_code: int, **_: object) -> None:
        started = self._clear_after(process_pid)
        if self.is_stopping() or self.is_stopped():
            return
        logger.error("Worker %d ended with %s", process_pid, _ending(exit_code))
        self._failed_starts = 0 if started else self._failed_starts + 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            logger.error("%d workers in a row could not start: giving up", self._failed_starts)
            self.numprocesses = 0

    def _kill(self) -> None:
        for process in self.processes.values():
            self.send_signal_process(process, signal.SIGKILL, recursive=True)


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"status {exit_code}"
