"""Schemas of background jobs, in the shape of OpenAI's `/v1/videos`."""

from __future__ import annotations

from typing import Literal

from api.schemas import Absent, Answer, ErrorDetail, UsageDuration
from models.jobs.job import JobStatus
from models.options import Task


class TranscriptionJob(Answer):
    """A background job."""

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
    """When it is removed, result and all; null: it has not ended."""
    audio_seconds: float
    """The length of the recording: as it is said to have, until the job is completed."""
    position: Absent[int] = None
    """Its place in the queue while it waits; 1 is the next one. Lists do not tell it."""
    metadata: dict[str, str]
    """The pairs that came with it."""
    error: ErrorDetail | None
    """Why it failed."""
    usage: Absent[UsageDuration] = None
    """What a completed transcription is billed by; a translation has none."""


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
