"""The runner of jobs: takes them from the store and works on them, in the models' event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from api.errors import ApiError, known_or_internal
from api.forms.read_form import not_kept
from api.jobs.attempt import attempted
from api.jobs.insisting import insisting
from api.jobs.job_config import OpenJobs
from api.jobs.job_log import log_crash, log_end
from api.jobs.running_job import RunningJob, in_full
from api.jobs.store_poll import StorePoll
from api.middleware.draining import Drain
from api.requests.model_registry import ModelRegistry
from api.server_log import logger
from models.errors import DecodingError, EngineStoppedError, OverloadedError
from models.jobs.job import Job, JobError
from models.jobs.job_store import LONE_CRASHES, JobOutcome, JobTotals

T = TypeVar("T")
# How often the store is asked for jobs that other workers took, and told how far these are.
POLL_SECONDS = 1.0
# How often dead workers and jobs whose time is over are looked for.
CLEAN_SECONDS = 10.0
# Until an outcome that could not be stored is stored again, or until a job is begun after a crash.
RETRY_SECONDS = 5.0
LOST = JobError("The job ended the worker three times.", code="worker_ended")
# What is no fault of the recording's, as far as is known: the job is tried again. Of a job at work
# `OverloadedError` says that the device had no memory for one of its windows.
_BROKEN = (DecodingError, EngineStoppedError, OverloadedError)


class JobRunner:
    """Works on up to `places` jobs at once, until the drain begins; a worker has one.

    Their windows go behind all others' (`Scheduler`), so that jobs wait for nobody's place in the
    queue, and nobody for theirs. A job that crashes is tried again, at last alone: others would
    crash with it. `note` is told now and then what the store has.
    """

    def __init__(
        self,
        opened: OpenJobs,
        registry: ModelRegistry,
        drain: Drain,
        places: int,
        note: Callable[[JobTotals], None],
    ) -> None:
        self._store, self._folder, self._lock = opened.store, opened.folder, opened.lock
        self._sweep, self._note = opened.sweep, note
        self._has_webhooks = opened.has_webhooks
        self._registry, self._drain, self._places = registry, drain, places
        self._running: dict[str, RunningJob] = {}
        self._cleans_at = self._tells_at = self._resumes = 0.0
        self._is_closed = False
        self._poll = StorePoll(self._look, POLL_SECONDS, "jobs")

    def wake(self) -> None:
        """Look for jobs now."""
        self._poll.wake()

    def cancel(self, job_id: str) -> None:
        """Stop the work on a job that is cancelled in the store, if it is this worker's."""
        running = self._running.get(job_id)
        if running and not running.is_over:
            running.cancel()

    def close(self) -> None:
        """Stop all work; what is not done is given back when the store is closed."""
        self._is_closed = True
        self._poll.close()
        for running in self._running.values():
            running.cancel()

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._cleans_at:
            self._cleans_at = now + CLEAN_SECONDS
            await asyncio.to_thread(self._clean)
        if now >= self._tells_at:
            self._tells_at = now + POLL_SECONDS
            await self._tell_progress()
        await self._take()

    def _clean(self) -> None:
        """Take dead workers' jobs from them, and remove those whose time is over."""
        dead = {each for each in self._store.workers() if not self._lock.is_alive(each)}
        for worker in dead:
            for job in self._store.crashed(worker, LOST):
                log_crash(job)
                if job.has_ended:
                    self._folder.remove_upload(job.upload)
        for job in self._store.expire(keeps_events=self._has_webhooks):
            self._folder.remove_text(job.id)
        if dead:
            self._sweep()
        self._note(self._store.totals())

    async def _tell_progress(self) -> None:
        for running in [each for each in self._running.values() if not each.is_over]:
            with suppress(OSError):
                # What cannot be written now fails with the result, unless there is room by then.
                await running.write()
            job_id = running.job.id
            progress = partial(self._store.progress, job_id, self._lock.id, running.percent)
            if not await asyncio.to_thread(progress):
                self.cancel(job_id)

    async def _take(self) -> None:
        """Begin jobs while there are places; beside one that is to be alone none is begun."""
        if time.monotonic() < self._resumes:
            return
        while len(self._running) < self._places and not self._drain.has_begun:
            if any(running.job.crashes >= LONE_CRASHES for running in self._running.values()):
                return
            is_alone = not self._running
            job = await asyncio.to_thread(self._store.claim, self._lock.id, is_alone=is_alone)
            if job is None:
                return
            running = self._running[job.id] = RunningJob(job, self._folder.events(job.id))
            running.task = asyncio.create_task(self._work(running))
            running.task.add_done_callback(partial(self._ended, running))

    async def _work(self, running: RunningJob) -> None:
        began, job = time.monotonic(), running.job
        try:
            outcome = await self._outcome(running)
            running.is_over = True
            if await self._stored(job, outcome):
                log_end(job, outcome, running.stats, time.monotonic() - began)
        except _BROKEN as error:
            await running.end_writing()
            await self._broken(job, error)
        except asyncio.CancelledError:
            await self._forget(running)
            raise

    def _ended(self, running: RunningJob, work: asyncio.Task[None]) -> None:
        """Free the place of a job; here, as what is cancelled at once has not even begun."""
        job = running.job
        # It may have been begun anew by now.
        if self._running.get(job.id) is running:
            del self._running[job.id]
        self.wake()
        if not work.cancelled() and (error := work.exception()):
            logger.error("%s could not be ended", job.id, exc_info=error)

    async def _forget(self, running: RunningJob) -> None:
        """Remove what a job has written that is cancelled, or perhaps deleted."""
        await running.end_writing()
        if not self._is_closed:
            self._folder.remove_text(running.job.id)

    async def _outcome(self, running: RunningJob) -> JobOutcome:
        """What came of a job; raises `_BROKEN` where it is to be tried again."""
        job = running.job
        try:
            transcript = await attempted(running, self._registry, self._folder, RETRY_SECONDS)
            await running.write()
            write = partial(self._folder.write_result, job.id, self._lock.id, transcript)
            nbytes = await in_full(write) + self._folder.events(job.id).nbytes
        except _BROKEN:
            raise
        except FileNotFoundError:
            return JobOutcome(JobError("The recording of the job is gone.", code="upload_gone"))
        except OSError as error:
            return JobOutcome(_error_of(not_kept(error)))
        except Exception as error:  # noqa: BLE001 - of whatever kind, the client hears of it
            return JobOutcome(_error_of(known_or_internal(error, f"Job {job.id}")))
        return JobOutcome(seconds=transcript.duration, nbytes=nbytes)

    async def _stored(self, job: Job, outcome: JobOutcome) -> bool:
        """Store an outcome; False: the job was cancelled or removed."""
        is_stored = await _ended_in_store(
            partial(self._store.finish, job.id, self._lock.id, outcome)
        )
        if is_stored:
            self._folder.remove_upload(job.upload)
        elif not outcome.error:
            self._folder.remove_text(job.id)
        return is_stored

    async def _broken(self, job: Job, error: Exception) -> None:
        failure = _error_of(known_or_internal(error, f"Job {job.id}"))
        # What broke may be the engine, which ends the worker in a moment.
        self._resumes = time.monotonic() + RETRY_SECONDS
        count = partial(self._store.crashed, self._lock.id, failure, job.id)
        counted = await _ended_in_store(count)
        if not counted:
            # It was cancelled or deleted meanwhile.
            self._folder.remove_text(job.id)
        for crashed in counted:
            log_crash(crashed)
            if crashed.has_ended:
                self._folder.remove_upload(job.upload)


async def _ended_in_store(change: Callable[[], T]) -> T:
    """A job that has ended is not to seem at work."""
    return await insisting(change, RETRY_SECONDS, "The end of a job")


def _error_of(error: ApiError) -> JobError:
    return JobError(error.message, error.type, error.param, error.code)
