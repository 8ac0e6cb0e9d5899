"""Fork server of the sandbox, as the server sees it: started once, and again if it has ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from models.audio.sandbox.child import Child
from models.audio.sandbox.rlimits import Limits

_ROOT = Path(__file__).parents[3]
# For the template to take a request, or to end when nobody has one any more.
_PATIENCE_SECONDS = 10


class ForkServer:
    """Forks children that do this work within these limits."""

    def __init__(self, work: str, limits: Limits) -> None:
        self._work, self._limits = work, limits
        self._lock = threading.Lock()
        self._template: _TemplateProcess | None = None

    def prepare(self) -> None:
        """Start the template if it does not run, so that the next child starts in no time."""
        with self._lock:
            self._running()

    def start(self, source: int, request: bytes) -> Child:
        """A child that works on the file with this descriptor, as these bytes ask.

        Raises:
            OSError: the system gives no process.
        """
        output, their_output = socket.socketpair()
        line, their_line = socket.socketpair()
        with their_output, their_line:
            descriptors = [source, their_output.fileno(), their_line.fileno()]
            try:
                template = self._request(request, descriptors)
            except OSError:
                output.close()
                line.close()
                raise
        return Child(output, line, self._limits.patience_seconds, template.kill)

    def close(self) -> None:
        """End the template and all children; the next one starts another template."""
        with self._lock:
            if self._template:
                self._template.close()
            self._template = None

    def _request(self, request: bytes, descriptors: list[int]) -> _TemplateProcess:
        with self._lock:
            try:
                template = self._running()
                template.request(request, descriptors)
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                template.kill()
                template = self._running()
                template.request(request, descriptors)
            return template

    def _running(self) -> _TemplateProcess:
        if self._template and not self._template.is_running:
            self._template.close()
            self._template = None
        if not self._template:
            self._template = _TemplateProcess(self._work, self._limits)
        return self._template


class _TemplateProcess:
    """The process of `template.py`."""

    def __init__(self, work: str, limits: Limits) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_PATIENCE_SECONDS)
        command = [sys.executable, "-P", "-m", "models.audio.sandbox.template"]
        # No variable of the server's; and one thread, so that it can be forked.
        path = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - nothing of it is a request's
                [*command, work, json.dumps(asdict(limits))],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the server, which ends it when it is done
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def request(self, request: bytes, descriptors: list[int]) -> None:
        socket.send_fds(self._control, [request], descriptors)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
