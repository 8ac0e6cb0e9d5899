"""GET and DELETE of jobs, their results, and their cancellation."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.forms.parameters import TranscriptionRequest
from api.job_schemas import DeletedJob, TranscriptionJob, TranscriptionJobList
from api.jobs.described import CONFLICT, EVENTS, LAST_EVENT_ID, NO_JOB, answer_query
from api.jobs.event_stream import event_response
from api.jobs.job_answers import job_answer, job_page
from api.jobs.job_form import answer_parameters
from api.jobs.job_query import answer_fields
from api.jobs.jobs import jobs_of
from api.openapi.examples import DELETED_JOB, JOB, JOBS
from api.openapi.openapi import errors, own_error, shown, transcript_answers
from api.request_context import context_of
from api.responses.formats import answer
from api.schemas import Transcription, TranscriptionVerbose
from models.jobs.job import JobStatus
from models.jobs.job_store import JobPage

router = APIRouter(tags=["jobs"])
JobId = Annotated[str, Path(description="A job's id.")]
_PATH = "/audio/transcriptions/{job_id}"


@router.get("/audio/transcriptions", responses={**shown(JOBS), **errors(400, 403, 503), **NO_JOB})
async def transcription_jobs(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100, description="Jobs of a page.")] = 20,
    after: Annotated[str | None, Query(description="The id of the last page's last job.")] = None,
    order: Annotated[
        Literal["asc", "desc"], Query(description="By age; `desc`: new ones.")
    ] = "desc",
    status: Annotated[JobStatus | None, Query(description="Only jobs of this status.")] = None,
) -> TranscriptionJobList:
    """The background jobs that were made with the same API key, translations as well."""
    jobs, owner = jobs_of(request), context_of(request).key_digest
    behind = await jobs.number(owner, after) if after else None
    # One more tells whether there is a next page.
    page = JobPage(limit + 1, behind, order, status)
    return job_page(await jobs.page(owner, page), limit)


@router.get(_PATH, responses={**shown(JOB), **errors(400, 503), **NO_JOB})
async def transcription_job(request: Request, job_id: JobId) -> TranscriptionJob:
    """A background job: how far it is."""
    jobs = jobs_of(request)
    job = await jobs.get(context_of(request).key_digest, job_id)
    position = await jobs.position(job) if job.status == "queued" else None
    return job_answer(job, position)


@router.get(
    f"{_PATH}/content",
    response_model=TranscriptionVerbose | Transcription,
    responses={200: transcript_answers()[200], **errors(400, 503), **NO_JOB},
    openapi_extra={"parameters": answer_query()},
)
async def transcription_job_content(request: Request, job_id: JobId) -> Response:
    """The result of a completed job, in the format of the job or in any other."""
    jobs = jobs_of(request)
    job = await jobs.get(context_of(request).key_digest, job_id)
    wanted = answer_parameters(job, answer_fields(request.query_params))
    transcript = await jobs.transcript(job)
    asked = wanted if isinstance(wanted, TranscriptionRequest) else None
    # In a thread: the cues of hours of speech take a second, in which others must not wait.
    return await asyncio.to_thread(
        answer,
        transcript,
        wanted.response_format,
        wanted.subtitles(),
        granularities=asked.timestamp_granularities if asked else (),
        include=asked.include if asked else (),
    )


@router.get(
    f"{_PATH}/events",
    response_class=Response,
    responses={200: EVENTS, **errors(400, 503), **NO_JOB},
    openapi_extra={"parameters": [LAST_EVENT_ID]},
)
async def transcription_job_events(request: Request, job_id: JobId) -> Response:
    """Server-sent events of a job until it has ended, all of them or those behind one."""
    jobs = jobs_of(request)
    return event_response(request, jobs, await jobs.get(context_of(request).key_digest, job_id))


@router.post(
    f"{_PATH}/cancel",
    responses={**shown(JOB), **errors(400, 403, 503), **NO_JOB, **own_error(*CONFLICT)},
)
async def cancel_transcription_job(request: Request, job_id: JobId) -> TranscriptionJob:
    """Stop a job that has not ended; it stays until it expires."""
    return job_answer(await jobs_of(request).cancel(context_of(request).key_digest, job_id))


@router.delete(_PATH, responses={**shown(DELETED_JOB), **errors(400, 403, 503), **NO_JOB})
async def delete_transcription_job(request: Request, job_id: JobId) -> DeletedJob:
    """Remove a job at once, with its recording and its result; one that runs is stopped."""
    await jobs_of(request).remove(context_of(request).key_digest, job_id)
    return DeletedJob(id=job_id)
