"""Tests of a server that is told to end, by the signals that service managers and people send."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.operation.processes import (
    LONGEST_SECONDS,
    eventually,
    files,
    mistreated,
    readiness,
    streaming,
    transcribe,
    transcribe_natively,
    workers,
)
from tests.operation.traffic import until
from tests.process_tree import is_alive

CODE = '"code":"shutting_down"'


def test_sigterm_lets_work_finish_and_refuses_what_comes(
    home: Path, minute: Path, hours: Path
) -> None:
    settings = {"WHISPER_SHUTDOWN_SECONDS": "3600", "WHISPER_MAX_UPLOAD_MIB": "0"}
    with mistreated(home, **settings) as server, ThreadPoolExecutor() as pool:
        whole = pool.submit(transcribe, server, minute)
        until(server, lambda said: whole.done() or said["queue"]["running"] == 1)
        with streaming(server, hours):
            server.process.send_signal(signal.SIGTERM)

            assert eventually(lambda: readiness(server) == 503)
            assert httpx.get(f"{server.url}/livez", timeout=LONGEST_SECONDS).status_code == 200
            refused = transcribe(server)
            assert (refused.status_code, refused.headers["connection"]) == (503, "close")
            assert refused.headers["retry-after"] == "5"
            assert CODE in refused.text
            assert whole.result().status_code == 200
            assert server.process.poll() is None
        assert server.process.wait(LONGEST_SECONDS) == 0
        assert readiness(server) == 0


def test_work_past_its_time_is_cut_off_with_an_error(home: Path, hours: Path) -> None:
    settings = {
        "WHISPER_SHUTDOWN_SECONDS": "1",
        "WHISPER_MAX_UPLOAD_MIB": "0",
        "WHISPER_QUEUE_SECONDS": "100000",
    }
    with mistreated(home, **settings) as server, ThreadPoolExecutor() as pool:
        endless = [pool.submit(each, server, hours) for each in (transcribe, transcribe_natively)]
        until(server, lambda said: said["queue"]["running"] + said["queue"]["waiting"] == 2)
        with streaming(server, hours) as streamed:
            server.process.send_signal(signal.SIGTERM)

            assert CODE in [line for line in streamed.iter_lines() if line][-1]
        assert [each.result().status_code for each in endless] == [503, 503]
        assert all(CODE in each.result().text for each in endless)
        assert server.process.wait(LONGEST_SECONDS) == 0
        assert files(home) == []


def test_a_second_signal_ends_at_once(home: Path, hours: Path) -> None:
    settings = {"WHISPER_SHUTDOWN_SECONDS": "3600", "WHISPER_MAX_UPLOAD_MIB": "0"}
    with mistreated(home, **settings) as server, ThreadPoolExecutor() as pool:
        [worker] = workers(server)
        endless = pool.submit(transcribe_natively, server, hours)
        assert eventually(lambda: bool(files(home)))
        server.process.send_signal(signal.SIGINT)
        assert eventually(lambda: readiness(server) == 503)
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(LONGEST_SECONDS) == 0
        assert eventually(lambda: not is_alive(worker))
        assert isinstance(endless.exception(), httpx.TransportError)
        assert files(home) == []


def test_a_worker_that_hangs_does_not_hold_the_end_up(home: Path) -> None:
    with mistreated(home, WHISPER_SHUTDOWN_SECONDS="0") as server:
        [worker] = workers(server)
        worker.suspend()
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(LONGEST_SECONDS) == 0
        assert eventually(lambda: not is_alive(worker))
