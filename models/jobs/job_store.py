"""Protocol of a store of jobs, whatever its database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol

from models.jobs.job import Job, JobError, JobStatus, NewJob
from models.jobs.job_budget import JobBudget

# A job whose work has ended a worker so often ends others' work as well.
MAX_CRASHES = 3
# After so many it is tried without others beside it, for the last time.
LONE_CRASHES = MAX_CRASHES - 1
# How long a receiver can fetch the result at least, once it has been told of it.
WEBHOOK_KEEP_SECONDS = 600
# How many events a worker tells at once to one host, and of one key where there are keys.
WEBHOOKS_PER_HOST, WEBHOOKS_PER_OWNER = 2, 4


@dataclass(frozen=True)
class JobOutcome:
    """How a job's work ended: with a result and events of `nbytes`, or with an error.

    `seconds` is how long the recording was; None: it is not known.
    """

    error: JobError | None = None
    seconds: float | None = None
    nbytes: int = 0


@dataclass(frozen=True)
class JobPage:
    """Which jobs of a key are listed: those behind the job `after`, by age."""

    limit: int
    after: int | None = None
    order: Literal["asc", "desc"] = "desc"
    status: JobStatus | None = None


@dataclass(frozen=True)
class JobTotals:
    """Jobs by status, the audio of those that wait, and since when the oldest of them does."""

    by_status: dict[JobStatus, int] = field(default_factory=dict)
    queued_seconds: float = 0.0
    oldest: float | None = None


@dataclass(frozen=True)
class JobFiles:
    """What files there may be: the names of the uploads of open jobs, and the ids of all jobs."""

    uploads: Collection[str]
    jobs: Collection[str]


@dataclass(frozen=True)
class WebhookAttempt:
    """What came of an attempt to tell of a job's end: an HTTP status, or an `error` instead of one.

    `again` is after how many seconds there is another; None: the event is over.
    """

    status: int | None
    error: str | None
    again: float | None


class WebhookStore(Protocol):
    """The events of jobs that have ended, which are told by webhooks. It is used as `JobStore` is.

    An event that a worker has claimed is told by no other until its attempt is noted, or given
    back, or the worker is found dead.
    """

    def claim(self, worker: str) -> Job | None:
        """A job whose event is due, which the worker is to tell.

        First are those of hosts of which the worker has claimed the fewest, and of them the one
        that is due longest. None is of a host or key with its share of what the worker has claimed:
        `WEBHOOKS_PER_HOST`, `WEBHOOKS_PER_OWNER`.
        """
        ...

    def note(self, job_id: str, worker: str, attempt: WebhookAttempt) -> bool:
        """Note an attempt; False: the job was removed, or the event is the worker's no more.

        After the last one the job is kept for `WEBHOOK_KEEP_SECONDS` at least.
        """
        ...

    def give_back(self, worker: str) -> None:
        """Let others tell the events that the worker has claimed; they count as not attempted."""
        ...

    def workers(self) -> set[str]:
        """The workers that have claimed events."""
        ...


class JobStore(Protocol):
    """Jobs that outlive the process. What a method has returned from is on the disk.

    Any thread may call it. All methods raise `JobStoreError` where the database cannot be read or
    written. A worker has the jobs that it has claimed until it finishes or gives them back, or is
    found dead.
    """

    @property
    def webhooks(self) -> WebhookStore:
        """The events of its jobs."""
        ...

    def check(self, new: NewJob, budget: JobBudget) -> None:
        """Refuse a job that does not fit into the budget at present.

        Raises:
            OverloadedError, JobDiskError: it does not.
        """
        ...

    def add(self, new: NewJob, budget: JobBudget) -> Job:
        """Queue a job; with an idempotency key that is known, the job that it was used for.

        Raises:
            IdempotencyError: the key was used for another recording, or for other fields.
            OverloadedError, JobDiskError: it does not fit into the budget.
        """
        ...

    def claim(self, worker: str, *, is_alone: bool) -> Job | None:
        """The next job, which is the worker's from now on; keys take turns.

        One with `LONE_CRASHES` goes first, and only to a worker that is alone with it: others' work
        would end with it. Until then a worker that is not alone gets none.
        """
        ...

    def progress(self, job_id: str, worker: str, percent: int) -> bool:
        """Note how far a job is; False: it is the worker's no more, as it was cancelled."""
        ...

    def finish(self, job_id: str, worker: str, outcome: JobOutcome) -> bool:
        """End a job with its outcome; False: it is the worker's no more."""
        ...

    def give_back(self, worker: str) -> None:
        """Queue a worker's jobs again, which it could not end; that is no crash."""
        ...

    def crashed(self, worker: str, error: JobError, job_id: str | None = None) -> list[Job]:
        """Count a crash of a job of the worker, or of all of them, and queue them again.

        Returns them; those with `MAX_CRASHES` have failed with the error.
        """
        ...

    def workers(self) -> set[str]:
        """The workers that have jobs."""
        ...

    def get(self, owner: str, job_id: str) -> Job | None:
        """A job of the key; None: it has no such job."""
        ...

    def number(self, owner: str, job_id: str) -> int | None:
        """The place of a job of the key among all, by age; None: it has no such job."""
        ...

    def position(self, job: Job) -> int:
        """A queued job's place in the queue, as keys take turns: 1 is the next one."""
        ...

    def page(self, owner: str, page: JobPage) -> list[Job]:
        """Jobs of the key, by age, without their `fields`: of many jobs they are much."""
        ...

    def cancel(self, owner: str, job_id: str) -> bool:
        """End a job of the key that has not ended; False: there is none."""
        ...

    def remove(self, owner: str, job_id: str) -> Job | None:
        """Forget a job of the key, whatever its status; None: it has no such job."""
        ...

    def expire(self, *, keeps_events: bool = False) -> list[Job]:
        """Forget the jobs whose time is over; not those with an event to tell, if they are kept."""
        ...

    def files(self) -> JobFiles:
        """What files there may be; all others are left over."""
        ...

    def totals(self) -> JobTotals:
        """What there is."""
        ...

    def close(self, worker: str) -> None:
        """Give the worker's jobs back and close the database, which it asks for none any more."""
        ...


IsAlive = Callable[[str], bool]
