"""Jobs as clients see them: status, list, cancel and delete; each key for itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from api.keys import key_digest
from api.setting_values import DialectName
from api.settings import Settings
from models.errors import AudioError
from tests.api.fake import (
    TRANSCRIPTIONS,
    EndlessTranscriber,
    FailingTranscriber,
    FakeTranscriber,
)
from tests.api.jobs.serving import SECONDS, GatedTranscriber, files_in, job_server, left, run
from tests.wire.promises import promises

KEYS = ("key-of-somebody", "key-of-another")


@promises(
    "Background jobs",
    "`GET /v1/audio/transcriptions/{id}`: `progress` in percent never falls, and is 100 only of a "
    "completed job",
    "extension",
)
def test_progress(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            job_id = await server.make()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            fake.steps.release()
            half = await server.until(job_id, lambda job: job["progress"])
            assert half["progress"] == 50
            assert "position" not in half
            fake.steps.release()
            job = await server.ended(job_id)
            assert (job["status"], job["progress"]) == ("completed", 100)
            assert job["expires_at"] == pytest.approx(job["completed_at"] + 86_400, abs=1)
            assert job["audio_seconds"] == 3.7
            assert job["usage"] == {"type": "duration", "seconds": 4}

    run(scenario())


@promises("Background jobs", "A job that failed has the error of its request", "extension")
def test_failure(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = FailingTranscriber(AudioError("The file has no audio."))
        async with job_server(tmp_path, fake) as server:
            job = await server.ended(await server.make())
            assert job["status"] == "failed"
            assert job["progress"] < 100
            assert job["error"] == {
                "message": "The file has no audio.",
                "type": "invalid_request_error",
                "param": "file",
                "code": None,
            }
            answer = await server.content(job["id"])
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_result")
            await left(tmp_path, [])

    run(scenario())


@promises(
    "Background jobs",
    "`GET /v1/audio/transcriptions`: pages by cursor, with `limit`, `after`, `order` and `status`",
    "extension",
)
def test_list(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, GatedTranscriber()) as server:
            ids = [await server.make() for _ in range(5)]

            async def listed(**query: str) -> tuple[list[int], bool]:
                page = (await server.http.get(TRANSCRIPTIONS, params=query)).json()
                found = [ids.index(job["id"]) for job in page["data"]]
                assert page["object"] == "list"
                assert page["first_id"] == (ids[found[0]] if found else None)
                assert page["last_id"] == (ids[found[-1]] if found else None)
                return found, page["has_more"]

            assert await listed() == ([4, 3, 2, 1, 0], False)
            assert await listed(limit="2") == ([4, 3], True)
            assert await listed(limit="2", after=ids[3]) == ([2, 1], True)
            assert await listed(limit="2", after=ids[1]) == ([0], False)
            assert await listed(order="asc", limit="1") == ([0], True)
            assert await listed(status="completed") == ([], False)
            for query in ({"limit": "0"}, {"limit": "101"}, {"order": "up"}, {"status": "done"}):
                answer = await server.http.get(TRANSCRIPTIONS, params=query)
                assert answer.status_code == 400
                assert answer.json()["error"]["param"] == next(iter(query))
            unknown = await server.http.get(TRANSCRIPTIONS, params={"after": "x"})
            assert unknown.json()["error"]["code"] == "job_not_found"

    run(scenario())


@promises(
    "Background jobs",
    "`POST .../{id}/cancel` ends a job that waits at once, one that runs within a step; one that "
    "has ended is a 409",
    "extension",
)
def test_cancel(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = EndlessTranscriber()
        async with job_server(tmp_path, fake) as server:
            running = await server.make()
            async with asyncio.timeout(SECONDS):
                await fake.started.wait()
            answer = await server.http.post(f"{TRANSCRIPTIONS}/{running}/cancel")
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
            async with asyncio.timeout(SECONDS):
                await fake.cancelled.wait()
            await left(tmp_path, [])
            again = await server.http.post(f"{TRANSCRIPTIONS}/{running}/cancel")
            assert (again.status_code, again.json()["error"]["code"]) == (409, "job_ended")
            assert again.headers["x-should-retry"] == "false"
            content = await server.content(running)
            assert (content.status_code, content.json()["error"]["code"]) == (404, "no_result")

    run(scenario())


@promises(
    "Background jobs",
    "`DELETE .../{id}` removes a job, its recording and its result at once; its id is a 404 then",
    "extension",
)
def test_delete(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            done = await server.make()
            for _ in fake.segments:
                fake.steps.release()
            await server.ended(done)
            running = await server.make()
            await server.until(running, lambda job: job["status"] == "in_progress")
            fake.idle.clear()
            assert len(files_in(tmp_path, "uploads", "results")) == 2
            for job_id in (done, running):
                path = f"{TRANSCRIPTIONS}/{job_id}"
                answer = await server.http.delete(path)
                assert answer.json() == {
                    "id": job_id,
                    "object": "transcription.job.deleted",
                    "deleted": True,
                }
                for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
                    gone = await server.http.request(method, path + rest)
                    assert gone.status_code == 404
                    assert gone.json()["error"]["code"] == "job_not_found"
            await left(tmp_path, [])
            async with asyncio.timeout(SECONDS):
                await fake.idle.wait()

    run(scenario())


@promises(
    "Background jobs",
    "A job is seen by the API key alone that it was made with; to others it is a 404",
    "extension",
)
def test_jobs_of_others_are_not_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        keys = tuple(map(key_digest, KEYS))
        settings = Settings(jobs_dir=tmp_path, api_keys=keys)
        async with job_server(tmp_path, GatedTranscriber(), settings) as server:
            job_id = await server.make(key=KEYS[0])
            path = f"{TRANSCRIPTIONS}/{job_id}"
            calls = [
                ("GET", path),
                ("GET", f"{path}/content"),
                ("GET", f"{path}/events"),
                ("POST", f"{path}/cancel"),
                ("DELETE", path),
                ("GET", f"{TRANSCRIPTIONS}?after={job_id}"),
            ]
            for method, url in calls:
                answer = await server.http.request(method, url, headers={"api-key": KEYS[1]})
                assert answer.status_code == 404, url
                assert answer.json()["error"]["code"] == "job_not_found"
            listed = await server.http.get(TRANSCRIPTIONS, headers={"api-key": KEYS[1]})
            assert listed.json()["data"] == []
            assert (await server.get(job_id, key=KEYS[0]))["id"] == job_id

    run(scenario())


def test_job_that_is_not_completed_has_no_result_yet(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, GatedTranscriber()) as server:
            answer = await server.content(await server.make())
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_completed")

    run(scenario())


def test_health_has_the_jobs_of_all_keys(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            ids = [await server.make() for _ in range(6)]
            for job_id in ids[:4]:
                await server.until(job_id, lambda job: job["status"] == "in_progress")
            health = (await server.http.get("/health")).json()
            assert health["jobs"] == {"queued": 2, "in_progress": 4, "queued_seconds": 0}
            assert health["queue"]["running"] == 0

    run(scenario())


@promises(
    "Background jobs",
    "The same below `/openai/v1`, where Azure's and Groq's clients look",
    "extension",
)
@pytest.mark.parametrize("dialects", [("azure",), ("groq",), ("azure", "groq")])
def test_jobs_below_openai_v1(tmp_path: Path, dialects: tuple[DialectName, ...]) -> None:
    async def scenario() -> None:
        settings, below = Settings(jobs_dir=tmp_path, dialects=dialects), f"/openai{TRANSCRIPTIONS}"
        async with job_server(tmp_path, FakeTranscriber(), settings) as server:
            job_id = await server.make(path=below)
            job = await server.ended(job_id)
            assert (await server.http.get(f"{below}/{job_id}")).json() == job
            assert (await server.http.get(below)).json()["data"] == [job]
            text = await server.http.get(f"{below}/{job_id}/content?response_format=text")
            assert text.text == "The naïve wind and the sun.\n"
            assert (await server.http.post(f"{below}/{job_id}/cancel")).status_code == 409
            assert (await server.http.delete(f"{below}/{job_id}")).json()["deleted"] is True

    run(scenario())
