"""An attempt at a job: its model as soon as there is room for it, and the transcript."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from api.jobs.job_form import parameters_of
from api.jobs.running_job import RunningJob
from api.requests.model_registry import ModelRegistry, Transcriber
from api.server_log import logger
from models.errors import ModelNotFoundError, OverloadedError, SandboxError
from models.jobs.job_folder import JobFolder
from models.jobs.job_store import MAX_CRASHES
from models.text.transcript import Transcript


async def attempted(
    running: RunningJob, registry: ModelRegistry, folder: JobFolder, retry_seconds: float
) -> Transcript:
    """The transcript of a job, however long its model has no room beside those of requests.

    The process that reads the recording may be ended, and takes nothing else with it: then the job
    begins anew after `retry_seconds`, here and beside others, as often as a crash is tried again.

    Raises:
        FileNotFoundError: the recording is gone.
        ModelNotFoundError: the job's checkpoint is not served any more.
        OverloadedError: the device has no memory for a window.
        WhisperError: as `Transcriber.transcribe`, and where the model cannot be loaded.
    """
    for _ in range(MAX_CRASHES - 1):
        try:
            return await _transcript(running, registry, folder)
        except SandboxError as error:
            logger.warning("%s begins anew: %s", running.job.id, error)
            await asyncio.sleep(retry_seconds)
            await running.begin_anew()
    return await _transcript(running, registry, folder)


async def _transcript(
    running: RunningJob, registry: ModelRegistry, folder: JobFolder
) -> Transcript:
    job = running.job
    options = replace(parameters_of(job.task, job.fields).options(), is_job=True)
    async with AsyncExitStack() as stack:
        transcriber = await _entered(stack, registry, job.model)
        audio = stack.enter_context(folder.open_upload(job.upload))
        return await transcriber.transcribe(audio, options, running.add, running.stats)


async def _entered(stack: AsyncExitStack, registry: ModelRegistry, name: str) -> Transcriber:
    """The checkpoint of a job, and no other; it may have left since the job came."""
    if name not in {model.name for model in registry.models}:
        raise ModelNotFoundError(name)
    while True:
        try:
            return await stack.enter_async_context(registry.pool.use(name))
        except OverloadedError as error:
            # It is loading, or has no room. Of a window that has none this is not the place.
            await asyncio.sleep(error.retry_after)
