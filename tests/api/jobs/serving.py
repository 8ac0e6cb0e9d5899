"""An app with background jobs in a folder, as a worker has it, without a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import httpx

from api.jobs.job_config import JobConfig, OpenJobs
from api.jobs.jobs import Jobs
from api.jobs.runner import JobRunner
from api.jobs.webhook_runner import WebhookRunner
from api.middleware.draining import Drain
from api.requests.model_registry import Transcriber
from api.settings import Settings
from api.webhooks.sender import WebhookSender
from models.jobs.job_store import JobTotals
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber, edge, served
from tests.models.jobs.made import Clock

FILES = {"file": ("a.wav", b"audio")}
NO_FIELDS: Mapping[str, str] = MappingProxyType({})
# However slow the machine is.
SECONDS = 120.0


@dataclass
class GatedTranscriber(FakeTranscriber):
    """Tells a segment with each of its `steps`; `idle` is set when none is at work any more."""

    steps: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    at_work: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, at its end."""
        self.at_work += 1
        try:
            return await super().transcribe(audio, options, on_segment, stats)
        finally:
            self.at_work -= 1
            if not self.at_work:
                self.idle.set()

    async def work(self, number: int, stats: RequestStats | None) -> None:
        """Wait for the next step; half of the recording is done at the second segment."""
        if stats:
            stats.audio_seconds, stats.done_seconds = self.duration, number * self.duration / 2
        await self.steps.acquire()


class JobClient:
    """A client of the app; `jobs` are the worker's."""

    def __init__(self, http: httpx.AsyncClient, jobs: Jobs, drain: Drain) -> None:
        self.http, self.jobs, self.drain = http, jobs, drain
        self.totals: list[JobTotals] = []
        self.webhooks: list[str] = []
        self.webhook_runner: WebhookRunner | None = None

    def start_webhooks(self, opened: OpenJobs) -> WebhookRunner | None:
        """The worker's runner of webhooks, where they are on; what came of each is noted."""
        if config := self.jobs.config.webhooks:
            sender, note = WebhookSender(config, "1.2.3"), self.webhooks.append
            self.webhook_runner = WebhookRunner(opened, sender, self.drain, note)
        return self.webhook_runner

    async def make(
        self, fields: Mapping[str, str] = NO_FIELDS, *, key: str = "", path: str = TRANSCRIPTIONS
    ) -> str:
        """A new job's id."""
        headers = {"api-key": key} if key else {}
        answer = await self.submit(fields, path=path, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def submit(
        self,
        fields: Mapping[str, str] = NO_FIELDS,
        *,
        path: str = TRANSCRIPTIONS,
        audio: bytes = b"audio",
        headers: Mapping[str, str] = NO_FIELDS,
    ) -> httpx.Response:
        """The answer to a job's form."""
        data = {"model": "base", "background": "true", **fields}
        files = {"file": ("a.wav", audio)}
        return await self.http.post(path, data=data, files=files, headers=headers)

    async def get(self, job_id: str, *, key: str = "") -> dict[str, Any]:
        """A job."""
        headers = {"api-key": key} if key else {}
        answer = await self.http.get(f"{TRANSCRIPTIONS}/{job_id}", headers=headers)
        assert answer.status_code == 200, answer.text
        job = answer.json()
        assert isinstance(job, dict)
        return job

    async def until(self, job_id: str, is_so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The job as soon as it is so."""
        async with asyncio.timeout(SECONDS):
            while True:
                if is_so(job := await self.get(job_id)):
                    return job
                await asyncio.sleep(0.02)

    async def ended(self, job_id: str) -> dict[str, Any]:
        """The job once it has ended."""
        return await self.until(job_id, lambda job: job["completed_at"])

    async def content(self, job_id: str, **query: str) -> httpx.Response:
        """The answer to the question for its result."""
        return await self.http.get(f"{TRANSCRIPTIONS}/{job_id}/content", params=query)


@asynccontextmanager
async def job_server(
    folder: Path,
    transcriber: Transcriber | None = None,
    settings: Settings | None = None,
    *,
    model: str = "base",
    clock: Clock | None = None,
    drain_seconds: float = 0,
) -> AsyncIterator[JobClient]:
    """A worker whose jobs are in this folder; at the end of the block it is told to end."""
    settings = settings or Settings(jobs_dir=folder)
    registry, drain = served(model, transcriber=transcriber), Drain(drain_seconds)
    config = JobConfig.of(settings, folder)
    jobs = Jobs(replace(config, clock=clock) if clock else config)
    transport = httpx.ASGITransport(edge(registry, settings, drain, jobs))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", timeout=SECONDS
    ) as http:
        client = JobClient(http, jobs, drain)
        jobs.begin(
            lambda opened: JobRunner(opened, registry, drain, 4, client.totals.append),
            client.start_webhooks,
        )
        try:
            yield client
        finally:
            jobs.close()


def run(scenario: Coroutine[None, None, None]) -> None:
    """Run a test's scenario."""
    asyncio.run(scenario)


def files_in(folder: Path, *of: str) -> list[str]:
    """The files of jobs that there are, of these folders."""
    names = of or ("uploads", "results", "events")
    return sorted(
        path.relative_to(folder).as_posix() for name in names for path in (folder / name).iterdir()
    )


async def left(folder: Path, expected: Sequence[str], *of: str) -> None:
    """Return when these files alone are there: a row is changed first, and then its files."""
    async with asyncio.timeout(SECONDS):
        while True:
            if files_in(folder, *of) == list(expected):
                return
            await asyncio.sleep(0.02)
