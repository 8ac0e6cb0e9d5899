"""Schemas of background jobs, in the shape of OpenAI's `/v1/videos`."""

from __future__ import annotations

from typing import Literal

from api.schemas import Absent, Answer, ErrorDetail, UsageDuration
from models.jobs.job import JobStatus, WebhookState
from models.options import Task


class JobWebhook(Answer):
    """What has become of the event of a job's end."""

    state: WebhookState
    """`waiting`: the job has not ended; `pending`: it is still to be delivered; or it is over."""
    attempts: int
    """How often it was sent, or could not be sent."""
    last_status: int | None
    """The HTTP status that the receiver has answered the last time."""
    last_error: str | None
    """Why there was none, in a word."""
    next_at: int | None
    """When it is sent the next time, in Unix seconds."""


class JobTold(Answer):
    """A background job, in all that does not change once it has ended."""

    id: str
    """Its id."""
    object: Literal["transcription.job"] = "transcription.job"
    """What this is."""
    status: JobStatus
    """How far it is."""
    progress: int
    """The same in percent; 100 only of a completed one."""
    task: Task
    """What was asked for."""
    model: str
    """The checkpoint that does it."""
    created_at: int
    """When it was made, in Unix seconds."""
    completed_at: int | None
    """When it ended, however it did."""
    expires_at: int | None
    """When it is removed, result and all, if its webhook is over; null: it has not ended."""
    audio_seconds: float
    """The length of the recording: as it is said to have, until the job is completed."""
    metadata: dict[str, str]
    """The pairs that came with it."""
    error: ErrorDetail | None
    """Why it failed."""
    usage: Absent[UsageDuration] = None
    """What a completed transcription is billed by; a translation has none."""


class TranscriptionJob(JobTold):
    """A background job."""

    position: Absent[int] = None
    """Its place in the queue while it waits; 1 is the next one. Lists do not tell it."""
    webhook: Absent[JobWebhook] = None
    """What has become of its event; absent where no `webhook_url` came with it."""


class TranscriptionEventData(JobTold):
    """The job that an event is about."""

    text: Absent[str] = None
    """Its text, where `webhook_include` asks for it."""


class TranscriptionEvent(Answer):
    """What a webhook sends: the end of a job."""

    id: str
    """Its id, which is that of the header `webhook-id`, however often it is sent."""
    object: Literal["event"] = "event"
    """What this is."""
    type: Literal["transcription.completed", "transcription.failed", "transcription.cancelled"]
    """The kind of event."""
    created_at: int
    """When the job ended, in Unix seconds."""
    data: TranscriptionEventData
    """The job."""


class TranscriptionJobEnded(Answer):
    """The last event of a job."""

    type: Literal["transcription.completed", "transcription.failed", "transcription.cancelled"]
    """The kind of event."""
    job: TranscriptionJob
    """The job, which has ended."""


class TranscriptionJobList(Answer):
    """A page of jobs."""

    object: Literal["list"] = "list"
    """What this is."""
    data: list[TranscriptionJob]
    """The jobs."""
    first_id: str | None
    """The id of the first of them."""
    last_id: str | None
    """The id of the last of them: `after` of the next page."""
    has_more: bool
    """Whether there is a next page."""


class DeletedJob(Answer):
    """That a job is gone."""

    id: str
    """Its id."""
    object: Literal["transcription.job.deleted"] = "transcription.job.deleted"
    """What this is."""
    deleted: Literal[True] = True
    """Recording, result and job are removed."""
