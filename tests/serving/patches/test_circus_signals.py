"""Signals end the server at once where they must: each patch of circus's handlers is seen so."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.operation.processes import workers
from tests.server import Server, serving

SECONDS = 60.0
# The service lets its workers have 10 seconds to end.
AT_ONCE_SECONDS = 8.0


@contextmanager
def tiny_server(folder: Path, hang_up: signal.Handlers) -> Iterator[Server]:
    """A server without a model, started by a process that takes SIGHUP so."""
    before = signal.signal(signal.SIGHUP, hang_up)
    try:
        service = "tests.serving.patches.tiny_service:Tiny"
        with serving(folder / "output.txt", service, BENTOML_HOME=str(folder)) as running:
            yield running
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_counts_while_a_worker_is_replaced(tmp_path: Path, sent: signal.Signals) -> None:
    with tiny_server(tmp_path, signal.SIG_DFL) as server:
        [worker] = workers(server)
        worker.kill()
        while not [each for each in workers(server) if each != worker]:
            time.sleep(0.0005)
        server.process.send_signal(sent)

        assert server.process.wait(SECONDS) == 0


def test_a_second_signal_kills(tmp_path: Path) -> None:
    with tiny_server(tmp_path, signal.SIG_DFL) as server:
        [worker] = workers(server)
        worker.suspend()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(AT_ONCE_SECONDS) == 0


def test_a_hang_up_that_is_ignored_stays_so(tmp_path: Path) -> None:
    with tiny_server(tmp_path, signal.SIG_IGN) as server:
        found = workers(server)
        server.process.send_signal(signal.SIGHUP)
        time.sleep(1)

        assert (server.process.poll(), workers(server)) == (None, found)
