"""The jobs of a worker: opened when they are first asked for, and what clients do with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol, TypeVar

from starlette.datastructures import State
from starlette.requests import Request

from api.errors import ApiError
from api.jobs.job_config import JobConfig, OpenJobs
from api.jobs.job_log import log_cancelled
from api.jobs.runner import JobRunner
from api.server_log import logger
from models.errors import JobStoreError
from models.jobs.job import Job, NewJob
from models.jobs.job_store import JobPage, JobTotals
from models.text.transcript import Transcript

T = TypeVar("T")
StartRunner = Callable[[OpenJobs], JobRunner]


class Closable(Protocol):
    """What is stopped before the store is closed."""

    def close(self) -> None:
        """Stop."""
        ...


StartWebhooks = Callable[[OpenJobs], Closable | None]


class Jobs:
    """The store behind one lock, and the runner, which there is once the store is open.

    A server that has no jobs opens nothing. All but the constructor belongs to one event loop.
    """

    def __init__(self, config: JobConfig) -> None:
        self.config = config
        self._opening = asyncio.Lock()
        self._start: StartRunner | None = None
        self._start_webhooks: StartWebhooks | None = None
        self._opened: OpenJobs | None = None
        self._runner: JobRunner | None = None
        self._webhooks: Closable | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, start: StartRunner, start_webhooks: StartWebhooks | None = None) -> None:
        """Work on jobs from now on, and on those that there are from before; tell of their ends."""
        self._start, self._start_webhooks = start, start_webhooks
        if self.config.has_jobs:
            self._task = asyncio.create_task(self._resume())

    async def opened(self) -> OpenJobs:
        """The store and what belongs to it; raises `JobStoreError`."""
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(self.config.opened)
            if self._runner is None and self._start is not None:
                # The runner last: where one of them cannot be started, the next caller tries again.
                if self._start_webhooks and self._webhooks is None:
                    self._webhooks = self._start_webhooks(self._opened)
                self._runner = self._start(self._opened)
        return self._opened

    async def submit(self, made: Callable[[OpenJobs], NewJob]) -> tuple[Job, int]:
        """Add the job that `made` makes in a thread, recording and all; and its position.

        Raises:
            IdempotencyError, OverloadedError, JobDiskError, JobStoreError
            OSError: there is no room for the recording.
        """
        opened = await self.opened()
        job, position = await asyncio.to_thread(self._added, opened, made)
        if self._runner:
            self._runner.wake()
        return job, position

    async def get(self, owner: str, job_id: str) -> Job:
        """A job of the key.

        Raises:
            ApiError: it has no such job (404).
        """
        store = (await self.opened()).store
        return _found(await asyncio.to_thread(store.get, owner, job_id), job_id)

    async def position(self, job: Job) -> int:
        """A queued job's place in the queue."""
        store = (await self.opened()).store
        return await asyncio.to_thread(store.position, job)

    async def number(self, owner: str, job_id: str) -> int:
        """A job's place among all; raises as `get`."""
        store = (await self.opened()).store
        return _found(await asyncio.to_thread(store.number, owner, job_id), job_id)

    async def page(self, owner: str, page: JobPage) -> list[Job]:
        """Jobs of the key, by age."""
        store = (await self.opened()).store
        return await asyncio.to_thread(store.page, owner, page)

    async def cancel(self, owner: str, job_id: str) -> Job:
        """The job, which is cancelled unless it has ended; raises as `get`.

        Raises:
            ApiError: it has ended (409).
        """
        opened = await self.opened()
        is_cancelled = await asyncio.to_thread(opened.store.cancel, owner, job_id)
        job = await self.get(owner, job_id)
        if not is_cancelled:
            message = f"The job '{job_id}' has ended: it is {job.status}."
            # OpenAI's SDKs would ask again, in vain.
            headers = {"x-should-retry": "false"}
            conflict = HTTPStatus.CONFLICT
            raise ApiError(message, status=conflict, code="job_ended", headers=headers)
        self._stop(opened, job)
        log_cancelled(job)
        return job

    async def remove(self, owner: str, job_id: str) -> None:
        """Remove a job, whatever its status, with its files; raises as `get`."""
        opened = await self.opened()
        job = _found(await asyncio.to_thread(opened.store.remove, owner, job_id), job_id)
        self._stop(opened, job)
        opened.folder.remove_text(job.id)

    async def transcript(self, job: Job) -> Transcript:
        """The transcript of a completed job.

        Raises:
            ApiError: it is not completed (404).
        """
        if job.status != "completed":
            message = f"The job '{job.id}' has no result: it is {job.status.replace('_', ' ')}."
            code = "no_result" if job.has_ended else "not_completed"
            raise ApiError(message, status=HTTPStatus.NOT_FOUND, code=code)
        folder = (await self.opened()).folder
        return await asyncio.to_thread(folder.read_result, job.id)

    async def totals(self) -> JobTotals:
        """What there is; nothing, as long as nobody has asked for jobs."""
        if self._opened is None:
            return JobTotals()
        return await asyncio.to_thread(self._opened.store.totals)

    def close(self) -> None:
        """Give back what is not done, and close the store."""
        if self._task:
            self._task.cancel()
        if self._runner:
            self._runner.close()
        if self._webhooks:
            self._webhooks.close()
        if self._opened:
            self._opened.close()

    async def _resume(self) -> None:
        try:
            await self.opened()
        except JobStoreError as error:
            logger.warning("%s", error.message)

    def _added(self, opened: OpenJobs, made: Callable[[OpenJobs], NewJob]) -> tuple[Job, int]:
        new = made(opened)
        try:
            job = opened.store.add(new, self.config.budget)
        except BaseException:
            opened.folder.remove_upload(new.upload)
            raise
        if job.id != new.id:
            opened.folder.remove_upload(new.upload)
        return job, opened.store.position(job)

    def _stop(self, opened: OpenJobs, job: Job) -> None:
        if self._runner:
            self._runner.cancel(job.id)
        opened.folder.remove_upload(job.upload)


def _found(found: T | None, job_id: str) -> T:
    if found is None:
        message = f"The job '{job_id}' does not exist."
        not_found = HTTPStatus.NOT_FOUND
        raise ApiError(message, status=not_found, param="id", code="job_not_found")
    return found


def find_jobs(state: State) -> Jobs | None:
    """The jobs in an app's state; None: they are off."""
    jobs = getattr(state, "jobs", None)
    return jobs if isinstance(jobs, Jobs) else None


def jobs_of(request: Request) -> Jobs:
    """The app's jobs.

    Raises:
        ApiError: they are off (400).
    """
    if jobs := find_jobs(request.app.state):
        return jobs
    message = "This server has no background jobs: WHISPER_JOBS is off."
    raise ApiError(message, param="background", code="unsupported_value")
