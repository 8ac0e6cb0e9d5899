"""Jobs as clients are told of them."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from api.job_schemas import (
    JobWebhook,
    TranscriptionEvent,
    TranscriptionEventData,
    TranscriptionJob,
    TranscriptionJobEnded,
    TranscriptionJobList,
)
from api.schemas import ErrorDetail, UsageDuration
from models.jobs.job import Job


def job_answer(job: Job, position: int | None = None) -> TranscriptionJob:
    """A job, with its place in the queue if it waits."""
    place = position if job.status == "queued" else None
    return TranscriptionJob(**_told(job), position=place, webhook=_webhook(job))


def job_event(job: Job, text: str | None = None) -> TranscriptionEvent:
    """The event of a webhook about a job that has ended; of one job it is always the same."""
    event = {
        "id": event_id(job),
        "type": f"transcription.{job.status}",
        "created_at": _whole(job.ended),
        "data": TranscriptionEventData(**_told(job), text=text),
    }
    return TranscriptionEvent.model_validate(event)


def event_id(job: Job) -> str:
    """The id of a job's event, of which there is one; it is kept nowhere, and so is never lost."""
    return f"evt_{job.id.removeprefix('transcription_')}"


def job_ended(job: Job) -> TranscriptionJobEnded:
    """The event of a job's end."""
    return TranscriptionJobEnded.model_validate(
        {"type": f"transcription.{job.status}", "job": job_answer(job)}
    )


def job_page(jobs: list[Job], limit: int) -> TranscriptionJobList:
    """A page of up to `limit` jobs, where one more was asked for."""
    data = [job_answer(job) for job in jobs[:limit]]
    return TranscriptionJobList(
        data=data,
        first_id=data[0].id if data else None,
        last_id=data[-1].id if data else None,
        has_more=len(jobs) > limit,
    )


def job_response(job: Job, position: int | None, status: int = 200) -> Response:
    """The answer with a job alone."""
    body = job_answer(job, position).model_dump_json()
    return Response(body, status_code=status, media_type="application/json")


def _told(job: Job) -> dict[str, Any]:
    is_billed = job.status == "completed" and job.task == "transcribe"
    return {
        "id": job.id,
        "status": job.status,
        "progress": job.progress,
        "task": job.task,
        "model": job.model,
        "created_at": int(job.created),
        "completed_at": _whole(job.ended),
        "expires_at": _whole(job.expires),
        "audio_seconds": round(job.seconds, 3),
        "metadata": dict(job.metadata),
        "error": ErrorDetail.model_validate(asdict(job.error)) if job.error else None,
        "usage": UsageDuration(seconds=math.ceil(job.seconds)) if is_billed else None,
    }


def _webhook(job: Job) -> JobWebhook | None:
    if (state := job.webhook_state) is None:
        return None
    return JobWebhook(
        state=state,
        attempts=job.webhook_attempts,
        last_status=job.webhook_status,
        last_error=job.webhook_error,
        next_at=_whole(job.webhook_due),
    )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
