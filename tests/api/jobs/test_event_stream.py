"""Events of a job: its segments, each once, from any one on; its progress and its end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber
from tests.api.jobs.serving import GatedTranscriber, JobClient, job_server, run
from tests.wire.promises import promises


class Events:
    """The events of a stream: data by id, and those without one."""

    def __init__(self, text: str) -> None:
        self.segments: dict[int, dict[str, Any]] = {}
        self.others: list[Any] = []
        for block in text.split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if line[:1] != ":")
            if "id" in fields:
                self.segments[int(fields["id"])] = json.loads(fields["data"])
            elif fields.get("data", "").startswith("{"):
                self.others.append(json.loads(fields["data"]))
            elif fields:
                self.others.append(fields["data"])


async def events(server: JobClient, job_id: str, last: str | None = None) -> Events:
    """The events behind the last one, until the end."""
    headers = {} if last is None else {"last-event-id": last}
    answer = await server.http.get(f"{TRANSCRIPTIONS}/{job_id}/events", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return Events(answer.text)


@promises(
    "Background jobs",
    "`GET .../{id}/events`: segments as they come, progress, and the job at the end; with "
    "`Last-Event-ID` those behind it, none twice and none lost",
    "extension",
)
def test_events_of_a_job_that_is_done_and_of_one_that_runs(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            job_id = await server.make()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            followed = asyncio.create_task(events(server, job_id))
            fake.steps.release()
            await server.until(job_id, lambda job: job["progress"] == 50)
            fake.steps.release()
            live = await followed
            told = await events(server, job_id)
            rest = await events(server, job_id, "1")
            nothing = await events(server, job_id, "2")

        assert live.segments == told.segments
        text = "".join(each["text"] for each in told.segments.values())
        assert text == "".join(segment.text for segment in fake.segments)
        assert {each["type"] for each in told.segments.values()} == {"transcript.text.segment"}
        assert list(told.segments) == [1, 2]
        assert list(rest.segments) == [2]
        assert nothing.segments == {}
        *_, ended, done = live.others
        assert (ended["type"], ended["job"]["id"]) == ("transcription.completed", job_id)
        assert done == "[DONE]"
        shown = [each for each in live.others[:-2] if each["type"] == "transcription.progress"]
        assert shown == live.others[:-2]
        heard = [each["audio_seconds_done"] for each in shown]
        assert heard == sorted(heard)
        assert told.others == [ended, "[DONE]"]

    run(scenario())


def test_events_of_a_cancelled_job_end_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, GatedTranscriber()) as server:
            job_id = await server.make()
            followed = asyncio.create_task(events(server, job_id))
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            await server.http.post(f"{TRANSCRIPTIONS}/{job_id}/cancel")
            *_, ended, _ = (await followed).others
            assert ended["type"] == "transcription.cancelled"

    run(scenario())


def test_events_of_a_job_that_is_deleted_meanwhile_end_with_an_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, GatedTranscriber()) as server:
            job_id = await server.make()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            followed = asyncio.create_task(events(server, job_id))
            # The stream has begun when it has asked once: then the next turn is the deletion's.
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            await server.http.delete(f"{TRANSCRIPTIONS}/{job_id}")
            last = (await followed).others[-1]
            assert last["error"]["code"] == "job_not_found"

    run(scenario())


def test_last_event_id_that_is_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, FakeTranscriber()) as server:
            job_id = await server.make()
            path = f"{TRANSCRIPTIONS}/{job_id}/events"
            for last in ("x", "-1", "1.5", "9" * 10):
                answer = await server.http.get(path, headers={"last-event-id": last})
                assert answer.status_code == 400

    run(scenario())
