"""The runner of jobs: takes them from the store and works on them, in the models' event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from api.errors import ApiError, known_or_internal
from api.forms.read_form import not_kept
from api.jobs.job_config import OpenJobs
from api.jobs.job_form import parameters_of
from api.jobs.job_log import log_crash, log_end
from api.jobs.running_job import RunningJob
from api.middleware.draining import Drain
from api.requests.model_registry import ModelRegistry
from api.server_log import logger
from models.errors import (
    DecodingError,
    EngineStoppedError,
    JobStoreError,
    OverloadedError,
    SandboxError,
)
from models.jobs.job import Job, JobError
from models.jobs.job_store import JobOutcome, JobTotals
from models.text.transcript import Transcript

# How often the store is asked for jobs that other workers took, and told how far these are.
POLL_SECONDS = 1.0
# How often dead workers and jobs whose time is over are looked for.
CLEAN_SECONDS = 10.0
# Until an outcome that could not be stored is stored again, or until a job is begun after a crash.
RETRY_SECONDS = 5.0
LOST = JobError("The job ended the worker three times.", code="worker_ended")
# What is no fault of the recording's, as far as is known: the job is tried again.
_BROKEN = (DecodingError, EngineStoppedError, SandboxError)


class JobRunner:
    """Works on up to `places` jobs at once, until the drain begins; a worker has one.

    Their windows go behind all others' (`Scheduler`), so that jobs wait for nobody's place in the
    queue, and nobody for theirs. A job that crashes is tried again, alone: others would crash with
    it. `close` gives back what is not done. `note` is told now and then what the store has.
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
        self._registry, self._drain, self._places = registry, drain, places
        self._running: dict[str, RunningJob] = {}
        self._wake, self._resumes = asyncio.Event(), 0.0
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look for jobs now."""
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Stop the work on a job that is cancelled in the store, if it is this worker's."""
        if running := self._running.get(job_id):
            running.cancel()

    def close(self) -> None:
        """Stop all work, and queue again what is not done."""
        self._task.cancel()
        for running in self._running.values():
            running.cancel()
        try:
            self._store.give_back(self._lock.id, list(self._running))
        except JobStoreError:
            logger.warning("Jobs could not be given back: they count as crashed")

    async def _run(self) -> None:
        time_of = asyncio.get_running_loop().time
        clean = tell = time_of()
        while True:
            self._wake.clear()
            try:
                if time_of() >= clean:
                    clean = time_of() + CLEAN_SECONDS
                    await asyncio.to_thread(self._clean)
                if time_of() >= tell:
                    tell = time_of() + POLL_SECONDS
                    await self._tell_progress()
                await self._take()
            except JobStoreError:
                logger.warning("Jobs wait until they can be read and written again")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    def _clean(self) -> None:
        """Take dead workers' jobs from them, and remove those whose time is over."""
        dead = {each for each in self._store.workers() if not self._lock.is_alive(each)}
        for worker in dead:
            for job in self._store.crashed(worker, LOST):
                log_crash(job)
                if job.has_ended:
                    self._folder.remove_upload(job.upload)
        for job in self._store.expire():
            self._folder.remove_text(job.id)
        if dead:
            self._sweep()
        self._note(self._store.totals())

    async def _tell_progress(self) -> None:
        for running in list(self._running.values()):
            with suppress(OSError):
                # What cannot be written now fails with the result, unless there is room by then.
                await running.write()
            job_id = running.job.id
            progress = partial(self._store.progress, job_id, self._lock.id, running.percent)
            if not await asyncio.to_thread(progress):
                self.cancel(job_id)

    async def _take(self) -> None:
        """Begin jobs while there are places; beside one that has crashed none is begun."""
        if time.monotonic() < self._resumes:
            return
        while len(self._running) < self._places and not self._drain.has_begun:
            if any(running.job.crashes for running in self._running.values()):
                return
            is_alone = not self._running
            job = await asyncio.to_thread(self._store.claim, self._lock.id, is_alone=is_alone)
            if job is None:
                return
            running = self._running[job.id] = RunningJob(job, self._folder.events(job.id))
            running.task = asyncio.create_task(self._work(running))

    async def _work(self, running: RunningJob) -> None:
        began, job = time.monotonic(), running.job
        try:
            outcome = await self._outcome(running)
            if await self._stored(job, outcome):
                log_end(job, outcome, running.stats, time.monotonic() - began)
        except _BROKEN as error:
            await self._broken(job, error)
        finally:
            del self._running[job.id]
            self.wake()

    async def _outcome(self, running: RunningJob) -> JobOutcome:
        """What came of a job; raises `_BROKEN` where it is to be tried again."""
        job = running.job
        try:
            transcript = await self._transcript(running)
            await running.write()
            nbytes = await self._written(job, transcript)
        except _BROKEN:
            raise
        except FileNotFoundError:
            return JobOutcome(JobError("The recording of the job is gone.", code="upload_gone"))
        except OSError as error:
            return JobOutcome(_error_of(not_kept(error)))
        except Exception as error:  # noqa: BLE001 - of whatever kind, the client hears of it
            return JobOutcome(_error_of(known_or_internal(error, f"Job {job.id}")))
        return JobOutcome(seconds=transcript.duration, nbytes=nbytes)

    async def _transcript(self, running: RunningJob) -> Transcript:
        job = running.job
        options = replace(parameters_of(job.task, job.fields).options(), is_job=True)
        name = self._registry.find(job.model).name
        while True:
            try:
                async with self._registry.pool.use(name) as transcriber:
                    with self._folder.open_upload(job.upload) as audio:
                        return await transcriber.transcribe(
                            audio, options, running.add, running.stats
                        )
            except OverloadedError as error:
                # Its model is loading, or has no room beside those of requests.
                await asyncio.sleep(error.retry_after)

    async def _written(self, job: Job, transcript: Transcript) -> int:
        """Write a result; it is not left behind where the job is cancelled meanwhile."""
        write = partial(self._folder.write_result, job.id, self._lock.id, transcript)
        writing = asyncio.ensure_future(asyncio.to_thread(write))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            self._folder.remove_result(job.id)
            raise

    async def _stored(self, job: Job, outcome: JobOutcome) -> bool:
        """Store an outcome, however long that takes; False: the job was cancelled or removed."""
        finish = partial(self._store.finish, job.id, self._lock.id, outcome)
        while True:
            try:
                is_stored = await asyncio.to_thread(finish)
            except JobStoreError:
                logger.warning("%s has ended, which cannot be written yet", job.id)
                await asyncio.sleep(RETRY_SECONDS)
                continue
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
        for crashed in await asyncio.to_thread(count):
            log_crash(crashed)
            if crashed.has_ended:
                self._folder.remove_upload(job.upload)


def _error_of(error: ApiError) -> JobError:
    return JobError(error.message, error.type, error.param, error.code)
