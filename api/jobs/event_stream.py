"""Server-sent events of a job: its segments from any one on, its progress, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.errors import ApiError, error_body, known_or_internal
from api.jobs.job_answers import job_ended
from api.jobs.jobs import Jobs
from api.request_context import context_of
from api.stream_schemas import TranscriptionProgress
from models.jobs.job import Job

# How often the store is asked: as often as workers tell it.
_POLL_SECONDS = 1.0
# Proxies close what is silent for a minute.
_KEEP_ALIVE_SECONDS = 10.0
_KEEP_ALIVE = b": keep-alive\n\n"
_END = b"data: [DONE]\n\n"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def last_event_id(request: Request) -> int:
    """The number of the last event that a client has had; 0: it has had none.

    Raises:
        ApiError: the header is not one of ours.
    """
    text = request.headers.get("last-event-id", "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):
        message = "Last-Event-ID must be the id of an event of this job."
        raise ApiError(message, code="invalid_value")
    return int(text or 0)


def event_response(request: Request, jobs: Jobs, job: Job) -> StreamingResponse:
    """The stream of a job's events behind the client's last one, until the job has ended."""
    events = _told(request, jobs, job, last_event_id(request))
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _told(request: Request, jobs: Jobs, job: Job, after: int) -> AsyncIterator[bytes]:
    """The events; an error ends them, as it would have been the answer."""
    try:
        async for event in _events(jobs, job, after):
            yield event
    except Exception as error:  # noqa: BLE001 - of whatever kind, the client hears of it
        failure = known_or_internal(error, f"The events of {job.id}")
        context_of(request).failure = failure
        yield _event(error_body(failure))


async def _events(jobs: Jobs, job: Job, after: int) -> AsyncIterator[bytes]:
    events = (await jobs.opened()).folder.events(job.id)
    time, shown = asyncio.get_running_loop().time, None
    due = time() + _KEEP_ALIVE_SECONDS
    while True:
        # The job first: when it has ended, all of its events are there.
        job = await jobs.get(job.owner, job.id)
        for data in await asyncio.to_thread(events.read, after):
            after += 1
            yield f"id: {after}\ndata: {data}\n\n".encode()
        if job.has_ended:
            break
        progress = await _progress(jobs, job)
        if progress != shown or time() >= due:
            yield _KEEP_ALIVE if progress == shown else _event(progress)
            shown, due = progress, time() + _KEEP_ALIVE_SECONDS
        await asyncio.sleep(_POLL_SECONDS)
    yield _event(job_ended(job))
    yield _END


async def _progress(jobs: Jobs, job: Job) -> TranscriptionProgress:
    is_queued = job.status == "queued"
    return TranscriptionProgress(
        phase="queued" if is_queued else "working",
        position=await jobs.position(job) if is_queued else 0,
        audio_seconds_done=round(job.seconds * job.progress / 100, 3),
        audio_seconds=round(job.seconds, 3),
        seconds_left=None,
    )


def _event(body: BaseModel) -> bytes:
    return b"data: " + body.model_dump_json().encode() + b"\n\n"
