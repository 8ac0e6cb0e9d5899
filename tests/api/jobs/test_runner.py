"""The runner: nothing lost at an end of any kind, and no job takes others with it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from api.jobs import runner
from api.jobs.job_config import JobConfig
from api.requests.model_registry import Transcriber
from api.settings import Settings
from models.errors import DecodingError, OverloadedError, SandboxError
from models.jobs.job import Job
from models.jobs.job_store import MAX_CRASHES
from models.jobs.sqlite_job_store import SqliteJobStore
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from tests.api.fake import EndlessTranscriber, FakePool, FakeTranscriber
from tests.api.jobs.serving import SECONDS, GatedTranscriber, files_in, job_server, left, run
from tests.wire.promises import promises

ROOT = Path(__file__).parent.parent.parent.parent
# A worker that takes a job, and is killed.
TAKE = """
import sys
from pathlib import Path
from api.jobs.job_config import JobConfig
from api.settings import Settings
folder = Path(sys.argv[1])
opened = JobConfig.of(Settings(jobs_dir=folder), folder).opened()
job = opened.store.claim(opened.lock.id, is_alone=True)
opened.folder.events(job.id).append(['{"text": "told"}'])
opened.folder.keep_upload("orphan", opened.lock.id, opened.folder.open_upload(job.upload))
print(job.id, flush=True)
sys.stdin.read()
"""


def taken_by_a_worker_that_is_killed(folder: Path) -> str:
    """The id of the job that it had."""
    command = [sys.executable, "-c", TAKE, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout
        job_id = worker.stdout.readline().strip()
        worker.kill()
    return job_id


async def left_queued(folder: Path) -> str:
    """A job that no worker has worked on."""
    async with job_server(folder, EndlessTranscriber()) as server:
        return await server.make({"prompt": "x"})


@promises(
    "Background jobs",
    "A job outlives a server that ends or is killed: it has the same id, and is done after the "
    "next start",
    "extension",
)
def test_job_of_a_worker_that_was_killed_is_done_by_the_next_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        job_id = await left_queued(tmp_path)
        killed = await asyncio.to_thread(taken_by_a_worker_that_is_killed, tmp_path)
        assert killed == job_id
        assert any(name.startswith("uploads/orphan") for name in files_in(tmp_path))
        fake = FakeTranscriber()
        async with job_server(tmp_path, fake) as server:
            assert (await server.ended(job_id))["status"] == "completed"
            assert "The naïve wind" in (await server.content(job_id)).text
        [(audio, options)] = fake.calls
        assert (audio, options.initial_prompt) == (b"audio", "x")
        # What it had told of its first segment is not told again.
        events = (tmp_path / "events" / f"{job_id}.jsonl").read_text().splitlines()
        assert len(events) == len(fake.segments)
        assert events[0] == '{"text": "told"}'
        await left(tmp_path, [], "uploads")

    run(scenario())


def test_job_whose_worker_is_killed_three_times_fails(tmp_path: Path) -> None:
    async def scenario() -> None:
        job_id = await left_queued(tmp_path)
        opened = JobConfig.of(Settings(jobs_dir=tmp_path), tmp_path).opened()
        for _ in range(MAX_CRASHES):
            for dead in opened.store.workers():
                assert not opened.lock.is_alive(dead)
                opened.store.crashed(dead, runner.LOST)
            await asyncio.to_thread(taken_by_a_worker_that_is_killed, tmp_path)
        opened.close()
        async with job_server(tmp_path, EndlessTranscriber()) as server:
            job = await server.ended(job_id)
            assert job["status"] == "failed"
            assert job["error"]["code"] == "worker_ended"
            await left(tmp_path, [], "uploads")

    run(scenario())


def test_end_of_the_server_gives_running_jobs_back_without_a_crash(tmp_path: Path) -> None:
    async def scenario() -> None:
        job_id = await left_queued(tmp_path)
        for _ in range(MAX_CRASHES + 1):
            fake = EndlessTranscriber()
            async with job_server(tmp_path, fake), asyncio.timeout(SECONDS):
                await fake.started.wait()
        async with job_server(tmp_path, FakeTranscriber()) as server:
            assert (await server.ended(job_id))["status"] == "completed"

    run(scenario())


def test_no_job_is_begun_while_the_server_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = FakeTranscriber()
        async with job_server(tmp_path, fake) as server:
            opened = await server.jobs.opened()
            server.drain.begin()
            answer = await server.submit()
            assert answer.status_code == 503
            assert opened.store.totals().by_status == {}

    run(scenario())


def test_each_job_is_done_once_by_two_workers_which_both_tell_of_all(tmp_path: Path) -> None:
    async def scenario() -> None:
        fakes = FakeTranscriber(), FakeTranscriber()
        async with job_server(tmp_path, fakes[0]) as one, job_server(tmp_path, fakes[1]) as two:
            ids = [await server.make() for _ in range(5) for server in (one, two)]
            for job_id in ids:
                for server in (two, one):
                    assert (await server.ended(job_id))["status"] == "completed"
                    assert (await server.content(job_id)).status_code == 200
        assert len(fakes[0].calls) + len(fakes[1].calls) == len(ids)

    run(scenario())


def test_job_that_another_worker_has_is_cancelled(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = EndlessTranscriber()
        async with job_server(tmp_path, fake) as one:
            job_id = await one.make()
            async with asyncio.timeout(SECONDS):
                await fake.started.wait()
            async with job_server(tmp_path, FakeTranscriber()) as two:
                job = await two.jobs.cancel("", job_id)
                assert job.status == "cancelled"
                async with asyncio.timeout(SECONDS):
                    await fake.cancelled.wait()

    run(scenario())


class BreakingEngine(FakeTranscriber):
    """Fails at the recording `bad` so many times, after its segments were told."""

    def __init__(self, error: Exception, times: int = MAX_CRASHES) -> None:
        super().__init__()
        self.error, self.times = error, times

    @property
    def attempts(self) -> int:
        """How often the bad recording came."""
        return sum(audio == b"bad" for audio, _ in self.calls)

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, or the error."""
        transcript = await super().transcribe(audio, options, on_segment, stats)
        if self.calls[-1][0] == b"bad" and self.attempts <= self.times:
            raise self.error
        return transcript


# The engine, the device's memory for a window, and the process that reads the recording.
ERRORS = [DecodingError("It failed."), OverloadedError("It failed.", 1), SandboxError("It failed.")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_job_whose_work_breaks_is_tried_three_times_and_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0.05)

    async def scenario() -> None:
        fake = BreakingEngine(error)
        async with job_server(tmp_path, fake) as server:
            bad = (await server.submit(audio=b"bad")).json()["id"]
            good = [await server.make() for _ in range(3)]
            job = await server.ended(bad)
            assert (job["status"], job["error"]["message"]) == ("failed", "It failed.")
            for job_id in good:
                assert (await server.ended(job_id))["status"] == "completed"
            await left(tmp_path, [], "uploads")
        assert fake.attempts == MAX_CRASHES

    run(scenario())


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_segments_of_a_job_whose_work_broke_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0.05)

    async def scenario() -> None:
        fake = BreakingEngine(error, MAX_CRASHES - 1)
        async with job_server(tmp_path, fake) as server:
            bad = (await server.submit(audio=b"bad")).json()["id"]
            assert (await server.ended(bad))["status"] == "completed"
        events = (tmp_path / "events" / f"{bad}.jsonl").read_text().splitlines()
        assert len(events) == len(fake.segments)

    run(scenario())


def test_job_waits_for_a_model_that_has_no_room_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [OverloadedError("Loading.", 0.01)] * (MAX_CRASHES + 1)
    use = FakePool.use

    @asynccontextmanager
    async def loading(pool: FakePool, name: str) -> AsyncIterator[Transcriber]:
        if refusals:
            raise refusals.pop()
        async with use(pool, name) as transcriber:
            yield transcriber

    monkeypatch.setattr(FakePool, "use", loading)

    async def scenario() -> None:
        async with job_server(tmp_path, FakeTranscriber()) as server:
            assert (await server.ended(await server.make()))["status"] == "completed"
            assert not refusals

    run(scenario())


def test_runner_goes_on_after_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [RuntimeError("a fault")]
    claim = SqliteJobStore.claim

    def failing(store: SqliteJobStore, worker: str, *, is_alone: bool) -> Job | None:
        if faults:
            raise faults.pop()
        return claim(store, worker, is_alone=is_alone)

    monkeypatch.setattr(SqliteJobStore, "claim", failing)

    async def scenario() -> None:
        async with job_server(tmp_path, FakeTranscriber()) as server:
            assert (await server.ended(await server.make()))["status"] == "completed"
            assert not faults

    run(scenario())


def test_job_of_a_model_that_is_not_served_any_more_fails(tmp_path: Path) -> None:
    async def scenario() -> None:
        job_id = await left_queued(tmp_path)
        async with job_server(tmp_path, FakeTranscriber(), model="tiny.en") as server:
            job = await server.ended(job_id)
            assert (job["status"], job["error"]["code"]) == ("failed", "model_not_found")

    run(scenario())


def test_job_whose_recording_is_gone_fails(tmp_path: Path) -> None:
    async def scenario() -> None:
        job_id = await left_queued(tmp_path)
        for path in (tmp_path / "uploads").iterdir():
            path.unlink()
        async with job_server(tmp_path, FakeTranscriber()) as server:
            job = await server.ended(job_id)
            assert (job["status"], job["error"]["code"]) == ("failed", "upload_gone")

    run(scenario())


@promises(
    "Background jobs",
    "A job and its result are removed `WHISPER_JOBS_EXPIRE_SECONDS` after its end, or after its "
    "`expires_after`, which may be less",
    "extension",
)
def test_expiry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CLEAN_SECONDS", 0.05)

    async def scenario() -> None:
        async with job_server(tmp_path, FakeTranscriber()) as server:
            kept = await server.make({"expires_after": "100000000"})
            gone = await server.make({"expires_after": "60"})
            told = await server.ended(gone)
            assert told["expires_at"] == pytest.approx(told["completed_at"] + 60, abs=1)
            told = await server.ended(kept)
            assert told["expires_at"] == pytest.approx(told["completed_at"] + 86_400, abs=1)
            store = (await server.jobs.opened()).store
            monkeypatch.setattr(store, "_clock", lambda: told["completed_at"] + 3600.0)
            await left(tmp_path, [f"events/{kept}.jsonl", f"results/{kept}.json.gz"])
            assert (await server.content(gone)).status_code == 404
            assert (await server.content(kept)).status_code == 200

    run(scenario())


def test_runner_tells_what_the_store_has(tmp_path: Path) -> None:
    async def scenario() -> None:
        fake = GatedTranscriber()
        async with job_server(tmp_path, fake) as server:
            job_id = await server.make()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
        async with job_server(tmp_path, EndlessTranscriber()) as server:
            await server.jobs.opened()
            await server.until(job_id, lambda job: job["status"] == "in_progress")
            assert server.totals[0].by_status == {"queued": 1}

    run(scenario())
