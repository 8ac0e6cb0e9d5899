"""Expiry of jobs whose webhook is still to be delivered."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.jobs import runner
from models.jobs.job_store import WEBHOOK_KEEP_SECONDS
from tests.api.fake import FakeTranscriber
from tests.api.jobs.hooked import attempted, hooked, made, move
from tests.api.jobs.serving import job_server, left, run
from tests.models.jobs.made import Clock
from tests.receiver import Receiver


def test_job_is_kept_until_its_event_is_over_and_can_be_fetched(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CLEAN_SECONDS", 0.05)
    receiver.statuses, clock = [500, 500], Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, receiver, clock=clock) as server:
            job_id = await made(server, receiver, {"expires_after": "60"})
            await attempted(server, job_id, 1)
            move(server, clock, 3600)
            await attempted(server, job_id, 2)
            cleaned = len(server.totals)
            job = await server.until(job_id, lambda _: len(server.totals) > cleaned + 1)
            assert job["status"] == "completed"
            move(server, clock, 3600)
            assert (await attempted(server, job_id, 3))["state"] == "delivered"
            job = await server.get(job_id)
            assert job["expires_at"] == int(clock.now) + WEBHOOK_KEEP_SECONDS
            assert (await server.content(job_id)).status_code == 200
            move(server, clock, WEBHOOK_KEEP_SECONDS)
            await left(tmp_path, [])

    run(scenario())


def test_event_of_a_server_without_webhooks_waits_until_its_job_expires(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CLEAN_SECONDS", 0.05)
    receiver.statuses, clock = [500], Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, receiver, clock=clock) as server:
            job_id = await made(server, receiver, {"expires_after": "3600"})
            await attempted(server, job_id, 1)
        clock.now += 60
        async with job_server(tmp_path, FakeTranscriber(), clock=clock) as server:
            assert server.webhook_runner is None
            assert (await server.get(job_id))["webhook"]["state"] == "pending"
            clock.now += 3600
            await left(tmp_path, [])
        assert len(receiver.deliveries) == 1

    run(scenario())
