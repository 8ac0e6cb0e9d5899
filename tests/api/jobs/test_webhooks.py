"""Webhooks of jobs: each end is told until it is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from api.jobs.webhook_runner import SCHEDULE
from models.errors import AudioError
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, FailingTranscriber
from tests.api.jobs.hooked import TEXT, attempted, deliveries, hooked, made, move
from tests.api.jobs.serving import GatedTranscriber, run
from tests.models.jobs.made import Clock
from tests.receiver import SECRET, Receiver, closed_port, receiving
from tests.wire.promises import promises


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
    clock = Clock()

    async def scenario(port: int) -> None:
        gone = Receiver(port)
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

    with closed_port() as port:
        run(scenario(port))


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
