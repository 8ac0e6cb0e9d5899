"""Webhooks of workers that end, are killed, or share a store: no event is lost or told anew."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from api.jobs import webhook_runner
from api.jobs.job_config import OpenJobs
from api.jobs.webhook_runner import WebhookRunner
from models.jobs.job import Job
from tests.api.jobs.hooked import attempted, deliveries, hooked, made
from tests.api.jobs.serving import SECONDS, JobClient, run
from tests.models.jobs.made import Clock
from tests.receiver import Receiver
from tests.wire.promises import promises

ROOT = Path(__file__).parent.parent.parent.parent


@promises(
    "Background jobs",
    "Webhooks outlive a server that ends or is killed: what is not taken is sent after the next "
    "start, with the same `webhook-id`",
    "extension",
)
def test_schedule_goes_on_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses, clock = [500, 500], Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, receiver, clock=clock) as server:
            job_id = await made(server, receiver)
            await attempted(server, job_id, 1)
        clock.now += 5
        async with hooked(tmp_path, receiver, clock=clock) as server:
            webhook = await attempted(server, job_id, 2)
            assert webhook["next_at"] == int(clock.now + 30)
        clock.now += 30
        async with hooked(tmp_path, receiver, clock=clock) as server:
            assert (await attempted(server, job_id, 3))["state"] == "delivered"
        ids = {each.headers["webhook-id"] for each in receiver.deliveries}
        assert (len(receiver.deliveries), len(ids)) == (3, 1)

    run(scenario())


def test_attempt_under_way_may_finish_while_the_server_ends(
    tmp_path: Path, receiver: Receiver
) -> None:
    async def scenario() -> None:
        receiver.gate.clear()
        async with hooked(tmp_path, receiver, drain_seconds=SECONDS) as server:
            ids = [await made(server, receiver) for _ in range(2)]
            await deliveries(receiver, 2)
            server.drain.begin()
            receiver.gate.set()
            await server.drain.done()
            assert server.webhooks == ["delivered"] * 2
        async with hooked(tmp_path, receiver) as server:
            for job_id in ids:
                assert (await attempted(server, job_id, 1))["state"] == "delivered"
        assert len(receiver.deliveries) == 2

    run(scenario())


def test_attempt_that_the_end_cut_off_is_made_again(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        receiver.gate.clear()
        async with hooked(tmp_path, receiver) as server:
            job_id = await made(server, receiver)
            await deliveries(receiver, 1)
        receiver.gate.set()
        async with hooked(tmp_path, receiver) as server:
            assert (await attempted(server, job_id, 1))["state"] == "delivered"
        first, second = receiver.deliveries
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body

    run(scenario())


def test_event_that_is_claimed_as_the_drain_begins_is_left_to_others(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_runner, "CLEAN_SECONDS", 0.0)

    async def scenario() -> None:
        loop, looked = asyncio.get_running_loop(), asyncio.Event()
        async with hooked(tmp_path, receiver, drain_seconds=SECONDS) as server:
            opened = await server.jobs.opened()
            store = opened.store.webhooks
            claim, workers = store.claim, store.workers

            def claim_at_the_end(worker: str) -> Job | None:
                job = claim(worker)
                if job:
                    loop.call_soon_threadsafe(server.drain.begin)
                return job

            def look() -> set[str]:
                if server.drain.has_begun:
                    loop.call_soon_threadsafe(looked.set)
                return workers()

            monkeypatch.setattr(store, "claim", claim_at_the_end)
            monkeypatch.setattr(store, "workers", look)
            job_id = await made(server, receiver)
            async with asyncio.timeout(SECONDS):
                # The runner has gone on.
                await looked.wait()
            await server.drain.done()
            assert receiver.deliveries == []
        async with hooked(tmp_path, receiver) as server:
            assert (await attempted(server, job_id, 1))["state"] == "delivered"
        assert len(receiver.deliveries) == 1

    run(scenario())


def test_webhooks_that_cannot_be_started_are_started_by_the_next_request(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, failures = JobClient.start_webhooks, [OSError("no")]

    def failing(client: JobClient, opened: OpenJobs) -> WebhookRunner | None:
        if failures:
            raise failures.pop()
        return start(client, opened)

    monkeypatch.setattr(JobClient, "start_webhooks", failing)

    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as server:
            answer = await server.submit({"webhook_url": receiver.url()})
            assert answer.status_code == 503
            job_id = await made(server, receiver)
            assert (await attempted(server, job_id, 1))["state"] == "delivered"

    run(scenario())


# A worker that takes an event, and is killed.
TAKE = """
import sys
from pathlib import Path
from api.jobs.job_config import JobConfig
from api.settings import Settings
folder = Path(sys.argv[1])
opened = JobConfig.of(Settings(jobs_dir=folder), folder).opened()
print(opened.store.webhooks.claim(opened.lock.id).id, flush=True)
sys.stdin.read()
"""


def test_event_of_a_worker_that_was_killed_is_sent_by_another(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_runner, "CLEAN_SECONDS", 0.05)

    async def scenario() -> None:
        receiver.statuses = [500]
        # In the past: by now the event is due again.
        async with hooked(tmp_path, receiver, clock=Clock()) as server:
            job_id = await made(server, receiver)
            await attempted(server, job_id, 1)
        command = [sys.executable, "-c", TAKE, str(tmp_path)]
        worker = await asyncio.to_thread(
            subprocess.Popen,
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with worker:
            assert worker.stdout
            assert (await asyncio.to_thread(worker.stdout.readline)).strip() == job_id
            async with hooked(tmp_path, receiver) as server:
                # As long as the other worker lives the event is its own.
                await attempted(server, await made(server, receiver), 1)
                assert (await server.get(job_id))["webhook"]["attempts"] == 1
                worker.kill()
                assert (await attempted(server, job_id, 2))["state"] == "delivered"

    run(scenario())


def test_each_event_is_sent_once_by_two_workers(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as one, hooked(tmp_path, receiver) as two:
            ids = [await made(server, receiver) for _ in range(5) for server in (one, two)]
            for job_id in ids:
                assert (await attempted(two, job_id, 1))["state"] == "delivered"
            told = [each.event["data"]["id"] for each in receiver.deliveries]
            assert sorted(told) == sorted(ids)

    run(scenario())
