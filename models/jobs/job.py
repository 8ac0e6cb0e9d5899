"""A background job: what it was asked with, and how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.options import Task

JobStatus = Literal["queued", "in_progress", "completed", "failed", "cancelled"]
# Of the event that tells of a job's end: it has not ended; it is due; told; or given up.
WebhookState = Literal["waiting", "pending", "delivered", "failed"]
# Those that have not ended: they have an upload, and count in the budget.
OPEN: tuple[JobStatus, ...] = ("queued", "in_progress")


def new_job_id() -> str:
    """An id that no other job has, and that nobody guesses."""
    return f"transcription_{uuid.uuid4().hex}"


@dataclass(frozen=True)
class JobError:
    """Why a job failed, in the members of OpenAI's error envelope."""

    message: str
    type: str = "server_error"
    param: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class NewJob:
    """A job that is to be added, its recording on the disk.

    `owner` is the SHA-256 of the API key that it was made with, empty without one. `fields` are
    those of the request's form, as they came: each attempt reads its options from them. `upload` is
    the name of its file of `nbytes` bytes, `seconds` how long that is said to be. It is kept for
    `keep_seconds` after its end. `digest` is the SHA-256 of file and fields, by which a repeated
    `idempotency_key` is told from a key that was used for something else. `webhook_url` is sent an
    event at the job's end, which has the text of a completed one if `webhook_text`; None: none is.
    """

    id: str
    owner: str
    task: Task
    model: str
    fields: Mapping[str, Sequence[str]]
    metadata: Mapping[str, str]
    keep_seconds: int
    idempotency_key: str | None = None
    upload: str = ""
    nbytes: int = 0
    seconds: float = 0.0
    digest: str = ""
    webhook_url: str | None = None
    webhook_text: bool = False


@dataclass(frozen=True)
class Job(NewJob):
    """A job of the store; times are Unix seconds.

    `progress` is a percentage that never falls, 100 only of a completed job. `worker` is the one
    that has it, `crashes` how often its work ended with the worker or the engine. `expires` is when
    it is removed at the earliest; None: it has not ended.

    Of its event `webhook_attempts` have come to an end, the last with the HTTP status
    `webhook_status`, or with none but `webhook_error`. The next one is at `webhook_due`; None: the
    job has not ended, or the event is over.
    """

    status: JobStatus = "queued"
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    expires: float | None = None
    progress: int = 0
    crashes: int = 0
    worker: str | None = None
    error: JobError | None = None
    webhook_attempts: int = 0
    webhook_status: int | None = None
    webhook_error: str | None = None
    webhook_due: float | None = None

    @property
    def has_ended(self) -> bool:
        """True if nothing more comes of it."""
        return self.status not in OPEN

    @property
    def webhook_state(self) -> WebhookState | None:
        """What has become of its event; None: it has none."""
        if self.webhook_url is None:
            return None
        if not self.has_ended:
            return "waiting"
        if self.webhook_due is not None:
            return "pending"
        return "delivered" if is_delivered(self.webhook_status) else "failed"


def is_delivered(status: int | None) -> bool:
    """True for the HTTP status of a receiver that has taken an event."""
    return status is not None and 200 <= status < 300
