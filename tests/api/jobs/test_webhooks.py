"""Webhooks of jobs: each end is told until it is taken, whatever ends in between."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from api.jobs import runner, webhook_runner
from api.jobs.webhook_runner import SCHEDULE
from api.requests.model_registry import Transcriber
from api.server_log import logger
from api.settings import Settings
from models.errors import AudioError
from models.jobs.job_store import WEBHOOK_KEEP_SECONDS
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, FailingTranscriber, FakeTranscriber
from tests.api.jobs.serving import (
    NO_FIELDS,
    SECONDS,
    GatedTranscriber,
    JobClient,
    job_server,
    left,
    run,
)
from tests.models.jobs.made import Clock
from tests.receiver import SECRET, Delivery, Receiver, receiving
from tests.wire.promises import promises

ROOT = Path(__file__).parent.parent.parent.parent
TEXT = "The naïve wind and the sun."


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are looked for more often than once a second."""
    monkeypatch.setattr(webhook_runner, "POLL_SECONDS", 0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def settings_of(folder: Path, port: int) -> Settings:
    """Settings of a server whose webhooks may go to this port of this machine."""
    environ = {
        "WHISPER_JOBS_DIR": str(folder),
        "WHISPER_WEBHOOK_HOSTS": f"127.0.0.1:{port}",
        "WHISPER_WEBHOOK_SECRET": SECRET,
    }
    return Settings.from_environ(environ)


def hooked(
    folder: Path,
    receiver: Receiver,
    transcriber: Transcriber | None = None,
    clock: Clock | None = None,
    drain_seconds: float = 0,
) -> AbstractAsyncContextManager[JobClient]:
    """A worker whose webhooks may go to the receiver."""
    settings = settings_of(folder, receiver.port)
    transcriber = transcriber or FakeTranscriber()
    return job_server(folder, transcriber, settings, clock=clock, drain_seconds=drain_seconds)


async def made(
    server: JobClient,
    receiver: Receiver,
    fields: Mapping[str, str] = NO_FIELDS,
    path: str = TRANSCRIPTIONS,
) -> str:
    """A job whose end is told to the receiver."""
    return await server.make({"webhook_url": receiver.url(), **fields}, path=path)


async def deliveries(receiver: Receiver, count: int) -> list[Delivery]:
    """What the receiver has got, once that is so much."""
    return await asyncio.to_thread(receiver.until, count)


async def attempted(server: JobClient, job_id: str, attempts: int) -> dict[str, Any]:
    """A job's webhook once so many attempts are over."""
    job = await server.until(job_id, lambda job: job["webhook"]["attempts"] >= attempts)
    assert job["webhook"]["attempts"] == attempts
    webhook = job["webhook"]
    assert isinstance(webhook, dict)
    return webhook


def move(server: JobClient, clock: Clock, seconds: float) -> None:
    """Let time pass."""
    clock.now += seconds
    assert server.webhook_runner
    server.webhook_runner.wake()


@promises(
    "Background jobs",
    "`webhook_url`: the end of a job is told by a signed event `transcription.completed`, `failed` "
    "or `cancelled`, without its text unless `webhook_include=text` asks for it",
    "extension",
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize("include", ["", "text"])
def test_completed_job_is_told(tmp_path: Path, receiver: Receiver, path: str, include: str) -> None:
    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as server:
            fields = {"metadata[episode]": "42", "webhook_include": include}
            job_id = await made(server, receiver, fields, path)
            [delivery] = await deliveries(receiver, 1)
            webhook = await attempted(server, job_id, 1)
            assert webhook == {
                "state": "delivered",
                "attempts": 1,
                "last_status": 200,
                "last_error": None,
                "next_at": None,
            }
            job = await server.get(job_id)
            del job["webhook"]
            told = {**job, "text": TEXT} if include else job
            assert Webhook(SECRET).verify(delivery.body, delivery.headers) == {
                "id": delivery.headers["webhook-id"],
                "object": "event",
                "type": "transcription.completed",
                "created_at": job["completed_at"],
                "data": told,
            }
            assert server.webhooks == ["delivered"]

    run(scenario())


def test_failed_job_is_told(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        failing = FailingTranscriber(AudioError("It is no audio."))
        async with hooked(tmp_path, receiver, failing) as server:
            await made(server, receiver, {"webhook_include": "text"})
            [delivery] = await deliveries(receiver, 1)
            event = delivery.event
            assert event["type"] == "transcription.failed"
            assert event["data"]["error"]["message"] == "It is no audio."
            assert "text" not in event["data"]

    run(scenario())


def test_cancelled_job_is_told_and_a_deleted_one_is_not(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        async with hooked(tmp_path, receiver, GatedTranscriber()) as server:
            deleted, job_id = [await made(server, receiver) for _ in range(2)]
            assert (await server.get(job_id))["webhook"] == {
                "state": "waiting",
                "attempts": 0,
                "last_status": None,
                "last_error": None,
                "next_at": None,
            }
            await server.http.delete(f"{TRANSCRIPTIONS}/{deleted}")
            await server.http.post(f"{TRANSCRIPTIONS}/{job_id}/cancel")
            [delivery] = await deliveries(receiver, 1)
            assert delivery.event["type"] == "transcription.cancelled"
            assert delivery.event["data"]["id"] == job_id

    run(scenario())


def test_job_without_a_webhook_has_none(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as server:
            job = await server.ended(await server.make())
            assert "webhook" not in job
            await attempted(server, await made(server, receiver), 1)
        assert len(receiver.deliveries) == 1

    run(scenario())


@promises(
    "Background jobs",
    "A webhook that is not taken is sent again after 5 s, 30 s, 5 min, 30 min, 2 h and 6 h, with "
    "the same `webhook-id`; a status of 2xx ends it, and so does 410",
    "extension",
)
def test_webhook_is_sent_again_by_the_schedule(tmp_path: Path, receiver: Receiver) -> None:
    assert SCHEDULE == (5, 30, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600)
    # Another's are taken in between.
    receiver.statuses, clock = [500, 200] * 5, Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, receiver, clock=clock) as server:
            job_id = await made(server, receiver)
            for number, seconds in enumerate(SCHEDULE[:5], 1):
                webhook = await attempted(server, job_id, number)
                assert (webhook["state"], webhook["last_status"]) == ("pending", 500)
                assert webhook["next_at"] == int(clock.now + seconds)
                move(server, clock, seconds - 1)
                # It is not due: another's event is, and is sent.
                other = await made(server, receiver)
                await attempted(server, other, 1)
                assert (await attempted(server, job_id, number))["state"] == "pending"
                move(server, clock, 1)
            webhook = await attempted(server, job_id, 6)
            assert (webhook["state"], webhook["last_status"]) == ("delivered", 200)
            assert server.webhooks.count("retried") == 5

            own = [each for each in receiver.deliveries if each.event["data"]["id"] == job_id]
            assert len(own) == 6
            assert len({each.headers["webhook-id"] for each in own}) == 1
            assert len({each.body for each in own}) == 1
            for each in own:
                Webhook(SECRET).verify(each.body, each.headers)

    run(scenario())


def test_webhook_is_given_up_after_the_last_attempt(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses, clock = [503] * 20, Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, receiver, clock=clock) as server:
            job_id = await made(server, receiver)
            for number, seconds in enumerate(SCHEDULE, 1):
                await attempted(server, job_id, number)
                move(server, clock, seconds)
            webhook = await attempted(server, job_id, 7)
            assert (webhook["state"], webhook["next_at"]) == ("failed", None)
            assert server.webhooks == ["retried"] * 6 + ["failed"]
        assert len(receiver.deliveries) == 7

    run(scenario())


def test_receiver_that_is_gone_is_not_asked_again(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses = [410]

    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as server:
            webhook = await attempted(server, await made(server, receiver), 1)
            assert (webhook["state"], webhook["last_status"]) == ("failed", 410)
            assert (webhook["last_error"], webhook["next_at"]) == (None, None)

    run(scenario())


def test_receiver_that_was_down_for_an_hour_is_told_after_it(tmp_path: Path) -> None:
    with receiving() as gone:
        port = gone.port
    clock = Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, gone, clock=clock) as server:
            job_id = await made(server, gone)
            for number, seconds in enumerate(SCHEDULE[:5], 1):
                webhook = await attempted(server, job_id, number)
                assert (webhook["last_status"], webhook["last_error"]) == (None, "unreachable")
                if number < 5:
                    move(server, clock, seconds)
            with receiving(port) as back:
                move(server, clock, SCHEDULE[4])
                webhook = await attempted(server, job_id, 6)
                assert webhook["state"] == "delivered"
                assert len(back.deliveries) == 1

    run(scenario())


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


def test_text_that_cannot_be_read_is_tried_again(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses, clock = [500], Clock()

    async def scenario() -> None:
        async with hooked(tmp_path, receiver, clock=clock) as server:
            job_id = await made(server, receiver, {"webhook_include": "text"})
            await attempted(server, job_id, 1)
            path = tmp_path / "results" / f"{job_id}.json.gz"
            data = path.read_bytes()
            path.write_bytes(b"damaged")
            move(server, clock, SCHEDULE[0])
            webhook = await attempted(server, job_id, 2)
            assert (webhook["state"], webhook["last_error"]) == ("pending", "no_result")
            path.write_bytes(data)
            move(server, clock, SCHEDULE[1])
            assert (await attempted(server, job_id, 3))["state"] == "delivered"
            assert receiver.deliveries[-1].event["data"]["text"] == TEXT

    run(scenario())


@promises(
    "Background jobs",
    "`webhook_url` of a host that is not in `WHISPER_WEBHOOK_HOSTS`, or while that is empty, is a "
    "400 that names the setting",
    "extension",
)
def test_webhooks_that_are_off_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path) as server:
            answer = await server.submit({"webhook_url": "https://example.org/done"})
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert (error["param"], error["code"]) == ("webhook_url", "unsupported_value")
            assert "WHISPER_WEBHOOK_HOSTS is empty" in error["message"]
            assert not (tmp_path / "jobs.sqlite3").exists()

    run(scenario())


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("https://example.org/done", "unsupported_value", "no webhooks to https://example.org:"),
        ("http://127.0.0.1/", "unsupported_value", "WHISPER_WEBHOOK_HOSTS does not have it"),
        ("http://127.0.0.1:9001/", "unsupported_value", "to http://127.0.0.1:9001:"),
        ("http://169.254.169.254/latest", "unsupported_value", "WHISPER_WEBHOOK_HOSTS"),
        ("http://[::ffff:127.0.0.1]:9000/", "unsupported_value", "WHISPER_WEBHOOK_HOSTS"),
        ("http://2130706433:9000/", "invalid_value", "must be an http or https URL"),
        ("http://me:secret@127.0.0.1:9000/", "invalid_value", "without a user name"),
        ("file:///etc/passwd", "invalid_value", "must be an http or https URL"),
        ("done", "invalid_value", "must be an http or https URL"),
    ],
)
def test_url_that_no_webhook_goes_to_is_refused_without_a_trace(
    tmp_path: Path, url: str, code: str, message: str
) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, settings=settings_of(tmp_path, 9000)) as server:
            answer = await server.submit({"webhook_url": url})
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert (error["param"], error["code"]) == ("webhook_url", code)
            assert message in error["message"]
            assert "secret@" not in error["message"]
            assert not (tmp_path / "jobs.sqlite3").exists()

    run(scenario())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"webhook_include": "text"}, "webhook_include needs webhook_url"),
        ({"webhook_url": "http://127.0.0.1:9000", "webhook_include": "words"}, "should be 'text'"),
    ],
)
def test_what_an_event_has_is_checked(tmp_path: Path, fields: dict[str, str], message: str) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, settings=settings_of(tmp_path, 9000)) as server:
            answer = await server.submit(fields)
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert error["param"] == "webhook_include"
            assert message in error["message"]

    run(scenario())


def test_secret_and_address_are_told_nowhere(
    tmp_path: Path,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.statuses = [500]
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger.name)
    # BentoML's, once it is imported, keeps to itself.
    monkeypatch.setattr(logging.getLogger("bentoml"), "propagate", True)
    told: list[str] = []

    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as server:
            url = receiver.url("/a-path-with-a-token")
            job_id = await server.make({"webhook_url": url})
            await attempted(server, job_id, 1)
            told.append((await server.http.get("/health")).text)
            told.append((await server.http.get(f"{TRANSCRIPTIONS}/{job_id}")).text)
            told.append((await server.http.get(TRANSCRIPTIONS)).text)
            await server.until(job_id, lambda job: server.webhooks)
            assert f"{job_id}: webhook retried at attempt 1: 500; again in 5 s" in caplog.text

    run(scenario())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    settings = settings_of(tmp_path, receiver.port)
    shown = [*told, caplog.text, repr(settings), str(settings.model_dump()), kept.decode("latin-1")]
    for text in shown:
        assert SECRET.removeprefix("whsec_") not in text
        assert "0123456789012345" not in text
    assert "a-path-with-a-token" not in "".join([*told, caplog.text])
