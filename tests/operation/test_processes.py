"""Tests of processes that die: workers, their parent, and what they leave behind."""

from __future__ import annotations

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests.operation.processes import (
    LONGEST_SECONDS,
    eventually,
    files,
    mistreated,
    readiness,
    transcribe,
    transcribe_natively,
    workers,
)
from tests.process_tree import is_alive
from tests.server import Server

TWO_WORKERS = json.dumps({"services": {"whisper": {"workers": 2}}})


def test_a_worker_that_is_killed_is_replaced_with_its_files_removed(
    home: Path, hours: Path
) -> None:
    with (
        mistreated(
            home,
            # As in every image that BentoML makes, where it would not replace it.
            BENTOML_CONTAINERIZED="1",
            BENTOML_CONFIG_OVERRIDES=TWO_WORKERS,
            WHISPER_MAX_UPLOAD_MIB="0",
        ) as server,
        ThreadPoolExecutor() as pool,
    ):
        assert eventually(lambda: len(workers(server)) == 2)
        endless = pool.submit(transcribe_natively, server, hours)
        assert eventually(lambda: bool(files(home)))
        [owner] = {part for part in files(home)[0].parts if part.startswith("worker-")}
        [busy] = [each for each in workers(server) if owner == f"worker-{each.pid}"]
        busy.kill()

        assert isinstance(endless.exception(LONGEST_SECONDS), httpx.TransportError)
        # The system may take a moment to end the one that is killed.
        assert eventually(lambda: len([each for each in workers(server) if each != busy]) == 2)
        assert eventually(lambda: files(home) == [])
        assert eventually(lambda: f"Worker {busy.pid} ended with signal SIGKILL" in server.printed)
        assert transcribe(server).status_code == 200
        assert server.stop() == 0


def test_workers_end_with_a_parent_that_is_killed(home: Path, hours: Path) -> None:
    settings = {"WHISPER_MAX_UPLOAD_MIB": "0", "WHISPER_SHUTDOWN_SECONDS": "1"}
    with mistreated(home, **settings) as server, ThreadPoolExecutor() as pool:
        [worker] = workers(server)
        endless = pool.submit(transcribe_natively, server, hours)
        assert eventually(lambda: bool(files(home)))
        server.process.kill()

        assert endless.result().status_code == 503
        assert eventually(lambda: not is_alive(worker))
        assert readiness(server) == 0
    left = {path for path in (home / "temporary").rglob("*") if "scratch-" in path.name}
    assert len(left) == 1
    with mistreated(home) as server:
        assert not left.pop().exists()
        assert transcribe(server).status_code == 200


def test_a_server_goes_on_without_its_model_but_ends_when_it_cannot_start_it_again(
    home: Path,
) -> None:
    with mistreated(home) as server:
        shutil.rmtree(home / "models" / "whisper-tiny.en")
        assert transcribe(server).status_code == 200
        [worker] = workers(server)
        worker.kill()

        assert server.process.wait(LONGEST_SECONDS) == 1
        assert "3 workers in a row could not start: giving up" in server.printed
        assert "not in the model store: tiny.en" in server.printed


def test_a_worker_whose_device_is_lost_is_replaced(home: Path) -> None:
    with mistreated(home, "tests.operation.lost_device:Whisper") as server:
        [worker] = workers(server)
        assert eventually(lambda: transcribe(server).status_code == 503)
        assert eventually(lambda: worker not in (running := workers(server)) and bool(running))
        assert eventually(lambda: readiness(server) == 200)

        assert "cpu does nothing more for this process" in server.printed
        ended = f"Worker {worker.pid} ended with signal SIGTERM"
        assert eventually(lambda: ended in server.printed)
        assert transcribe(server).status_code == 200


def test_server_that_replaces_a_worker_ends_when_it_is_told_to(home: Path) -> None:
    with mistreated(home) as server:
        [worker] = workers(server)
        worker.kill()
        assert eventually(lambda: set(workers(server)) - {worker} != set(), 0.0005)
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(LONGEST_SECONDS) == 0
        assert "Traceback" not in server.printed


def test_workers_that_are_killed_while_they_load_end_the_server(home: Path) -> None:
    with mistreated(home) as server:
        # Without a pause: none of them is to have the time to start.
        assert eventually(lambda: _kill_workers(server) and server.process.poll() is not None, 0)

        assert server.process.returncode == 1
        assert "3 workers in a row could not start: giving up" in server.printed
        # The first one had started.
        assert server.printed.count("ended with signal SIGKILL") == 4


def _kill_workers(server: Server) -> bool:
    """As the kernel does where memory is short."""
    with suppress(psutil.NoSuchProcess):
        for each in workers(server):
            each.kill()
    return True
