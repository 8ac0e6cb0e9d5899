"""The parent's side: workers are replaced when they die, and their end is bounded."""

from __future__ import annotations

import resource
import signal
import tempfile
from asyncio import Future
from collections.abc import Callable
from functools import partial
from pathlib import Path

import circus.watcher
from circus.arbiter import Arbiter
from circus.watcher import Watcher

from api.server_log import logger
from serving.scratch import clear_after, has_started, open_scratch
from serving.signals import heed_signals

# Past the time that requests have to finish, for what comes after: then a worker is killed.
KILL_AFTER_SECONDS = 5
# How soon a worker that has died is missed; BentoML's is 10.
CHECK_SECONDS = 1
# So many workers in a row that could not start are enough.
MAX_FAILED_STARTS = 3
# Open files, connections among them: many systems let a process have 1,024 unless it asks.
MAX_FILES = 65536


def supervise(shutdown_seconds: float, hand_down: Callable[[Path], None]) -> None:
    """Make BentoML, which is about to start its workers, start them under a `Supervisor`.

    `hand_down` tells them where temporary files go.

    Raises:
        OSError: nothing can be written where temporary files go.
    """
    scratch = open_scratch()
    hand_down(scratch)
    tempfile.tempdir = str(scratch)
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    maximum = MAX_FILES if allowed == resource.RLIM_INFINITY else min(allowed, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, allowed))
    # BentoML takes it from there when it is needed, and has no setting for any of this.
    circus.watcher.Watcher = partial(  # type: ignore[misc, assignment]  # used as a callable
        Supervisor, shutdown_seconds, scratch
    )


class Supervisor(Watcher):
    """circus's keeper of the workers, as a server wants it.

    - A worker that dies is replaced, also where BentoML would not: in a container.
    - Workers that cannot start end the server, which then exits with a status of its own.
    - A worker that does not end in time is killed, and at a second signal all are.
    - A worker alone is told to end, not its children, which its requests may still need.
    - Temporary files of a worker go with it.
    """

    def __init__(self, shutdown_seconds: float, scratch: Path, **options: object) -> None:
        ours = {
            "respawn": True,
            "stop_children": False,
            "graceful_timeout": shutdown_seconds + KILL_AFTER_SECONDS,
            "hooks": {"after_reap": (self._after_reap, True)},
        }
        super().__init__(**options | ours)
        self._scratch = scratch
        self._failed_starts = 0

    def initialize(self, evpub_socket: object, sockets: object, arbiter: Arbiter) -> None:
        """Take what the arbiter gives, which is about to start."""
        super().initialize(evpub_socket, sockets, arbiter)
        arbiter.ctrl.check_delay = CHECK_SECONDS * 1000  # type: ignore[union-attr]  # it has one
        heed_signals(arbiter, self._kill)

    def manage_processes(self) -> Future[None]:
        """Start as many workers as are missing.

        circus's own first forgets those that it finds dead, and so misses the end of a worker whose
        first thread has ended before the others: that one cannot be reaped yet.
        """
        if self.is_stopping() or len(self.processes) > self.numprocesses:
            return super().manage_processes()
        return self.spawn_processes()

    def _after_reap(self, *, process_pid: int, exit_code: int, **_: object) -> None:
        started = has_started(self._scratch, process_pid)
        clear_after(self._scratch, process_pid)
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
