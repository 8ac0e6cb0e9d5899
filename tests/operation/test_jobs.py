"""Background jobs on servers that are killed, told to end, and shared by workers."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from api.webhooks.sender import LIMIT_SECONDS
from models.checkpoints.weights import Weights
from tests.operation.processes import LONGEST_SECONDS, end, eventually, mistreated, workers
from tests.process_tree import family
from tests.receiver import SECRET, Receiver, receiving
from tests.server import Server, failing_start

PATH = "/v1/audio/transcriptions"
TWO_WORKERS = json.dumps({"services": {"whisper": {"workers": 2}}})
# How often a server is killed at a moment of chance; CONTRIBUTING.md has the long form.
KILLS = int(os.environ.get("WHISPER_KILLS", "3"))
WORDS = "ask not what your country can do for you"


def make(server: Server, recording: Path, **fields: str) -> str:
    """The id of a new job."""
    form = {"model": "whisper-1", "background": "true", **fields}
    with recording.open("rb") as file:
        answer = httpx.post(
            f"{server.url}{PATH}", data=form, files={"file": file}, timeout=LONGEST_SECONDS
        )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def told(server: Server, job_id: str) -> dict[str, Any]:
    """A job."""
    job = httpx.get(f"{server.url}{PATH}/{job_id}", timeout=LONGEST_SECONDS).json()
    assert isinstance(job, dict)
    return job


def ended(server: Server, job_id: str) -> dict[str, Any]:
    """A job that has ended."""
    assert eventually(lambda: bool(told(server, job_id)["completed_at"]))
    return told(server, job_id)


def text_of(server: Server, job_id: str) -> str:
    """The text of a completed job."""
    assert ended(server, job_id)["status"] == "completed"
    url = f"{server.url}{PATH}/{job_id}/content?response_format=text"
    return httpx.get(url, timeout=LONGEST_SECONDS).text


def is_half_done(server: Server, job_id: str) -> bool:
    return bool(5 <= told(server, job_id)["progress"] < 100)


def kill(server: Server) -> None:
    """Kill the server and all of its processes."""
    for process in family(server.process.pid):
        # Readers of recordings end by themselves.
        with suppress(psutil.NoSuchProcess):
            process.kill()
    server.process.wait(LONGEST_SECONDS)


def test_job_of_a_worker_that_is_killed_is_done_by_the_next(home: Path, five_minutes: Path) -> None:
    with mistreated(home) as server:
        job_id = make(server, five_minutes)
        assert eventually(lambda: is_half_done(server, job_id))
        (worker,) = workers(server)
        end(worker)
        assert eventually(lambda: len(workers(server)) == 1)
        assert eventually(lambda: _answers(server))

        assert WORDS in text_of(server, job_id)
        assert f"{job_id}: queued after crash 1" in server.printed


def _answers(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_jobs_that_were_told_outlive_servers_that_are_killed_at_any_moment(
    home: Path, minute: Path
) -> None:
    seed = time.time_ns()
    chance, ids = random.Random(seed), list[str]()
    for _ in range(KILLS):
        with mistreated(home) as server, ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(make, server, minute) for _ in range(8)]
            time.sleep(chance.uniform(0, 2))
            kill(server)
            ids += [each.result() for each in asked if not each.exception(LONGEST_SECONDS)]
    with mistreated(home) as server:
        # The oldest first: however many there are, each ends soon after the one before it.
        known = [job["id"] for job in reversed(listed(server))]
        assert set(ids) <= set(known), seed
        states = {job_id: ended(server, job_id)["status"] for job_id in known}
        # The third time that one's worker was killed it has failed.
        assert set(states.values()) <= {"completed", "failed"}, seed
        assert list((home / "jobs" / "uploads").iterdir()) == []
        kept = {path.name.partition(".")[0] for path in (home / "jobs" / "results").iterdir()}
        assert kept == {job_id for job_id, status in states.items() if status == "completed"}


def listed(server: Server) -> list[dict[str, Any]]:
    """All jobs."""
    url = f"{server.url}{PATH}?limit=100"
    jobs = httpx.get(url, timeout=LONGEST_SECONDS).json()["data"]
    assert isinstance(jobs, list)
    return jobs


def test_job_goes_back_to_the_queue_when_the_server_is_told_to_end(
    home: Path, five_minutes: Path
) -> None:
    with mistreated(home) as server:
        job_id = make(server, five_minutes)
        assert eventually(lambda: is_half_done(server, job_id))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(LONGEST_SECONDS) == 0
    with mistreated(home) as server:
        assert WORDS in text_of(server, job_id)
        assert "after crash" not in server.printed
        assert f"{job_id}: completed in " in server.printed


def webhooks_to(receiver: Receiver) -> dict[str, str]:
    """The settings of a server whose webhooks may go there."""
    hosts = f"127.0.0.1:{receiver.port}"
    return {"WHISPER_WEBHOOK_HOSTS": hosts, "WHISPER_WEBHOOK_SECRET": SECRET}


def is_delivered(server: Server, job_id: str) -> bool:
    return bool(told(server, job_id)["webhook"]["state"] == "delivered")


def test_webhook_of_a_server_that_is_killed_is_sent_by_the_next_with_the_same_id(
    home: Path, minute: Path
) -> None:
    with receiving() as receiver:
        receiver.gate.clear()
        with mistreated(home, **webhooks_to(receiver)) as server:
            job_id = make(server, minute, webhook_url=receiver.url())
            receiver.until(1)
            kill(server)
        receiver.gate.set()
        with mistreated(home, **webhooks_to(receiver)) as server:
            first, second = receiver.until(2)
            assert eventually(lambda: is_delivered(server, job_id))
            assert told(server, job_id)["webhook"]["attempts"] == 1
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_webhook_under_way_is_waited_for_when_the_server_is_told_to_end(
    home: Path, minute: Path
) -> None:
    with receiving() as receiver:
        receiver.gate.clear()
        with mistreated(home, **webhooks_to(receiver)) as server:
            job_id = make(server, minute, webhook_url=receiver.url())
            receiver.until(1)
            came = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert eventually(lambda: not _answers(server))
            receiver.gate.set()
            assert server.process.wait(LONGEST_SECONDS) == 0
            # On a slow machine the limit of the attempt may have passed: then it is made again.
            is_in_time = time.monotonic() - came < LIMIT_SECONDS
        with mistreated(home, **webhooks_to(receiver)) as server:
            assert eventually(lambda: is_delivered(server, job_id))
            assert server.stop() == 0
        assert len({each.headers["webhook-id"] for each in receiver.deliveries}) == 1
        if is_in_time:
            assert len(receiver.deliveries) == 1


def test_webhooks_without_a_secret_end_the_start(weights: Callable[[str], Weights]) -> None:
    weights("tiny.en")
    settings = {"WHISPER_DEFAULT_MODEL": "tiny.en", "WHISPER_WEBHOOK_HOSTS": "example.org"}
    status, printed = failing_start((), **settings)

    assert status == 1
    assert "WHISPER_WEBHOOK_HOSTS is set without WHISPER_WEBHOOK_SECRET" in printed
    assert "Traceback" not in printed


def test_two_workers_do_each_job_once_and_tell_of_all(home: Path, minute: Path) -> None:
    with (
        receiving() as receiver,
        mistreated(home, BENTOML_CONFIG_OVERRIDES=TWO_WORKERS, **webhooks_to(receiver)) as server,
    ):
        assert eventually(lambda: len(workers(server)) == 2)
        ids = [make(server, minute, webhook_url=receiver.url()) for _ in range(8)]
        for job_id in ids:
            # Each question may come to another worker.
            assert WORDS in text_of(server, job_id)
        for job_id in ids:
            assert server.printed.count(f"{job_id}: completed in ") == 1
        assert eventually(lambda: all(is_delivered(server, job_id) for job_id in ids))
        told_of = sorted(each.event["data"]["id"] for each in receiver.deliveries)
        assert told_of == sorted(ids)
        assert server.stop() == 0


def test_cancelled_job_leaves_the_model_to_others(home: Path, five_minutes: Path) -> None:
    with mistreated(home) as server:
        job_id = make(server, five_minutes)
        assert eventually(lambda: is_half_done(server, job_id))
        answer = httpx.post(f"{server.url}{PATH}/{job_id}/cancel", timeout=LONGEST_SECONDS)
        assert answer.json()["status"] == "cancelled"
        health = f"{server.url}/health"
        assert eventually(
            lambda: httpx.get(health, timeout=LONGEST_SECONDS).json()["loaded"][0]["running"] == 0
        )
        assert list((home / "jobs" / "uploads").iterdir()) == []
