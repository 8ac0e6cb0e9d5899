"""Jobs on a disk that is full: new ones are refused, those at work end, and nothing is damaged."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.jobs import runner, webhook_runner
from tests.api.jobs.hooked import attempted, deliveries, hooked, made
from tests.api.jobs.serving import GatedTranscriber, JobClient, files_in, job_server, left, run
from tests.receiver import Receiver
from tests.wire.promises import promises

KIB = 1024


@contextmanager
def largest_file(nbytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond this: what is behind it has no room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def refused(server: JobClient, audio: bytes) -> None:
    """See a job refused for want of room."""
    answer = await server.submit(audio=audio)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0


def is_sound(folder: Path) -> bool:
    """True if SQLite finds no fault in the store."""
    with sqlite3.connect(folder / "jobs.sqlite3") as database:
        found = database.execute("PRAGMA integrity_check").fetchall()
    database.close()
    return bool(found == [("ok",)])


@promises(
    "Background jobs",
    "Where the disk has no room for a recording, a new job is a 503 with `Retry-After` and leaves "
    "nothing; jobs at work end",
    "extension",
)
def test_recording_that_has_no_room_is_refused_and_running_jobs_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            job_id = await server.make()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            before = files_in(tmp_path, "uploads")
            with largest_file(700 * KIB):
                await refused(server, bytes(900 * KIB))
                assert files_in(tmp_path, "uploads") == before
                for _ in fake.segments:
                    fake.steps.release()
                assert (await server.ended(job_id))["status"] == "completed"
                assert (await server.content(job_id)).status_code == 200
            assert (await server.submit(audio=bytes(900 * KIB))).status_code == 202
        assert is_sound(tmp_path)

    run(scenario())


def test_job_that_ends_while_nothing_can_be_written_ends_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0.05)

    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            job_id = await server.make()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            with largest_file(1):
                for _ in fake.segments:
                    fake.steps.release()
                await fake.idle.wait()
                await refused(server, b"audio")
                assert (await server.get(job_id))["status"] == "in_progress"
            job = await server.ended(job_id)
            assert (job["status"], job["error"]["code"]) == ("failed", "no_room")
            await left(tmp_path, [], "uploads")
            assert (await server.submit()).status_code == 202
        assert is_sound(tmp_path)

    run(scenario())


def test_webhook_that_was_taken_is_not_sent_again_where_that_cannot_be_noted(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_runner, "RETRY_SECONDS", 0.05)

    async def scenario() -> None:
        receiver.gate.clear()
        async with hooked(tmp_path, receiver) as server:
            job_id = await made(server, receiver)
            await deliveries(receiver, 1)
            with largest_file(1):
                receiver.gate.set()
                await refused(server, b"audio")
                assert (await server.get(job_id))["webhook"]["state"] == "pending"
            assert (await attempted(server, job_id, 1))["state"] == "delivered"
        assert len(receiver.deliveries) == 1

    run(scenario())
