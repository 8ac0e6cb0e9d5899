"""The fork server's process (a zygote): `python -m models.audio.sandbox.template`.

It has loaded what a child needs, and has no threads, no secrets and nothing of the server's.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from selectors import EVENT_READ, DefaultSelector, SelectorKey
from typing import BinaryIO, NoReturn

from models.audio.sandbox.lockdown import lock_down
from models.audio.sandbox.rlimits import Limits

# The recording's descriptor, the request's bytes, and where the samples go.
Work = Callable[[Limits, int, bytes, BinaryIO], None]

# Of a request: the recording, where the samples go, and the line to whoever waits for them.
DESCRIPTORS = 3
# Of the bytes beside them. They come whole: descriptors end what one call takes from a socket.
MAX_REQUEST_BYTES = 1024
# What the requester hears by it: the exit status, or minus the signal.
STATUS = struct.Struct("<i")

_CONTROL, _INPUT, _OUTPUT, _OTHERS = 0, 0, 1, 3
_MAX_DESCRIPTORS = 4096


class Template:
    """Forks a child for each request that comes in by `control`.

    By its line the requester hears how its child has ended; the child is killed when the
    requester hangs up.
    """

    def __init__(self, control: socket.socket, work: Work, limits: Limits) -> None:
        self._control, self._work, self._limits = control, work, limits
        self._lines: dict[int, socket.socket] = {}
        self._events = DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # The server ends it, when its last request is done.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def run(self) -> None:
        """Until the server hangs up."""
        self._events.register(self._control, EVENT_READ)
        self._events.register(self._woken, EVENT_READ)
        while True:
            for key, _ in self._events.select():
                if key.fileobj is self._woken:
                    self._reap()
                elif key.fileobj is not self._control:
                    self._kill(key)
                elif not self._accept():
                    return

    def _accept(self) -> bool:
        request, descriptors, *_ = socket.recv_fds(self._control, MAX_REQUEST_BYTES, DESCRIPTORS)
        try:
            # It hears of a failure by its line, which is closed.
            with suppress(OSError, ValueError):
                source, output, line = descriptors
                self._fork(request, source, output, line)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return bool(request)

    def _fork(self, request: bytes, source: int, output: int, line: int) -> None:
        kept = socket.socket(fileno=os.dup(line))
        pid = os.fork()
        if not pid:
            self._be_child(request, source, output)
        self._lines[pid] = kept
        self._events.register(kept, EVENT_READ, pid)

    def _be_child(self, request: bytes, source: int, output: int) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            os.dup2(source, _INPUT)
            os.dup2(output, _OUTPUT)
            os.closerange(_OTHERS, _MAX_DESCRIPTORS)
            lock_down(self._limits)
            with open(_OUTPUT, "wb", closefd=False) as samples:
                self._work(self._limits, _INPUT, request, samples)
            status = 0
        except ConnectionError:
            # Who waits for the samples is gone, and so is who could be told.
            os._exit(status)
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)

    def _kill(self, key: SelectorKey) -> None:
        # Until it is reaped, no other process has its number.
        if self._lines.get(key.data) is key.fileobj:
            self._events.unregister(key.fileobj)
            os.kill(key.data, signal.SIGKILL)

    def _reap(self) -> None:
        self._woken.recv(_MAX_DESCRIPTORS)
        while self._lines:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._lines.pop(pid) as line:
                with suppress(KeyError):  # it has been killed
                    self._events.unregister(line)
                with suppress(OSError):  # the requester has hung up
                    line.send(STATUS.pack(os.waitstatus_to_exitcode(status)))


def main() -> None:
    """Serve with the work and the limits of the command line."""
    module, _, function = sys.argv[1].partition(":")
    work: Work = getattr(import_module(module), function)
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = _MAX_DESCRIPTORS if maximum == resource.RLIM_INFINITY else min(maximum, _MAX_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, maximum))
    Template(socket.socket(fileno=_CONTROL), work, Limits(**json.loads(sys.argv[2]))).run()


if __name__ == "__main__":
    main()
