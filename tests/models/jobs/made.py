"""Jobs and stores for tests."""

from __future__ import annotations

from pathlib import Path

from models.jobs.job import NewJob, new_job_id
from models.jobs.job_budget import JobBudget
from models.jobs.sqlite_job_store import SqliteJobStore

WIDE = JobBudget(1_000_000)


class Clock:
    """Unix seconds that the test moves."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def store_in(folder: Path, clock: Clock | None = None) -> SqliteJobStore:
    """A store as a worker has it; several may be of one folder."""
    return SqliteJobStore(folder / "jobs.sqlite3", clock or Clock())


def new_job(
    owner: str = "a",
    *,
    seconds: float = 60.0,
    nbytes: int = 100,
    digest: str = "d",
    key: str | None = None,
) -> NewJob:
    """A job that is to be added."""
    job_id = new_job_id()
    return NewJob(
        id=job_id,
        owner=owner,
        task="transcribe",
        model="base",
        fields={"model": ["base"], "keywords": ["x", "y"]},
        metadata={"episode": "42"},
        keep_seconds=100,
        idempotency_key=key,
        upload=f"{job_id}.w",
        nbytes=nbytes,
        seconds=seconds,
        digest=digest,
    )
