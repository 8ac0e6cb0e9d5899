"""Signals end the server at once where they must: each patch of circus's handlers is seen so."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import TimeoutExpired

import psutil
import pytest

from tests.operation.processes import eventually, workers
from tests.server import STOP_SECONDS, Server, serving

# What the service lets its workers have to end.
PATIENCE = "3600"


@contextmanager
def tiny_server(folder: Path, hang_up: signal.Handlers) -> Iterator[Server]:
    """A server without a model, started by a process that takes SIGHUP so."""
    before = signal.signal(signal.SIGHUP, hang_up)
    try:
        service = "tests.serving.patches.tiny_service:Tiny"
        settings = {"BENTOML_HOME": str(folder), "KILLED_AFTER_SECONDS": PATIENCE}
        with serving(folder / "output.txt", service, **settings) as running:
            yield running
    finally:
        signal.signal(signal.SIGHUP, before)


def is_told_to_end(suspended: psutil.Process) -> bool:
    """Whether SIGTERM waits for a process that does nothing."""
    status = Path(f"/proc/{suspended.pid}/status").read_text()
    [waiting] = [line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:")]
    return bool(int(waiting, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_counts_while_a_worker_is_replaced(tmp_path: Path, sent: signal.Signals) -> None:
    with tiny_server(tmp_path, signal.SIG_DFL) as server:
        [worker] = workers(server)
        worker.kill()
        assert eventually(lambda: set(workers(server)) - {worker} != set(), 0.0005)
        server.process.send_signal(sent)

        assert server.process.wait(STOP_SECONDS) == 0


def test_a_second_signal_kills(tmp_path: Path) -> None:
    with tiny_server(tmp_path, signal.SIG_DFL) as server:
        [worker] = workers(server)
        worker.suspend()
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: is_told_to_end(worker))
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(STOP_SECONDS) == 0


def test_a_hang_up_that_is_ignored_stays_so(tmp_path: Path) -> None:
    with tiny_server(tmp_path, signal.SIG_IGN) as server:
        found = workers(server)
        server.process.send_signal(signal.SIGHUP)
        with pytest.raises(TimeoutExpired):
            server.process.wait(1)

        assert (server.process.poll(), workers(server)) == (None, found)
