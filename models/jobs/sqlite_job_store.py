"""A store of jobs in a file of SQLite, which the workers of one host share.

The standard library has it. Its WAL lets workers read while one writes. Each method that writes is
one transaction, which holds the only lock for writing from its beginning.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.errors import IdempotencyError
from models.jobs.job import Job, JobError, NewJob
from models.jobs.job_budget import JobBudget, JobsHeld
from models.jobs.job_store import (
    LONE_CRASHES,
    MAX_CRASHES,
    JobFiles,
    JobOutcome,
    JobPage,
    JobTotals,
)
from models.jobs.sqlite_file import SqliteFile
from models.jobs.sqlite_rows import ENDS, LISTED, error_text, job_of, row_nbytes, values_of
from models.jobs.sqlite_webhooks import SqliteWebhooks

_OPEN = "status IN ('queued', 'in_progress')"
_ITS_OWN = "id = :id AND worker = :worker AND status = 'in_progress'"
# A key's turn is over when one of its jobs is claimed: who had one longest ago is next.
_NEXT = """
    SELECT MIN(number),
        COALESCE((SELECT MAX(turn) FROM jobs AS other WHERE other.owner = jobs.owner), 0) AS last
    FROM jobs WHERE status = 'queued' GROUP BY owner ORDER BY last, MIN(number) LIMIT 1
"""
_ALONE = """
    SELECT number FROM jobs WHERE status = 'queued' AND crashes >= :lone ORDER BY number LIMIT 1
"""
# As many of each other key's as there are of this one's up to the job, as far as they go.
_BEFORE = """
    SELECT COALESCE(SUM(MIN(waiting, :rank)), 0) FROM (
        SELECT COUNT(*) AS waiting FROM jobs
        WHERE status = 'queued' AND owner != :owner GROUP BY owner)
"""
# As `JobBudget` counts: at least a second for each job, and its texts beside its file.
_HELD = f"""
    SELECT COALESCE(SUM(MAX(1, seconds)) FILTER (WHERE {_OPEN}), 0),
        COALESCE(SUM(MAX(1, seconds)) FILTER (WHERE {_OPEN} AND owner = ? AND owner != ''), 0),
        COALESCE(SUM(nbytes + LENGTH(fields) + LENGTH(metadata)
            + COALESCE(LENGTH(webhook_url), 0)), 0)
    FROM jobs
"""  # noqa: S608 - of constants


class SqliteJobStore:
    """The store in the file at `path`; `clock` gives Unix seconds, for what is told and expires.

    Raises:
        JobStoreError: the file cannot be opened, or is of a later version.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._file = SqliteFile(path)
        self.webhooks = SqliteWebhooks(self._file, clock)

    def check(self, new: NewJob, budget: JobBudget) -> None:
        """As `JobStore.check`."""
        budget.check(JobsHeld(*self._file.one(_HELD, new.owner)), new.seconds, row_nbytes(new))

    def add(self, new: NewJob, budget: JobBudget) -> Job:
        """As `JobStore.add`."""
        with self._file.transaction():
            if known := self._of_key(new):
                return known
            self.check(new, budget)
            values = {**values_of(new), "created": self._clock()}
            columns, places = ", ".join(values), ", ".join(f":{name}" for name in values)
            return self._changed(f"INSERT INTO jobs ({columns}) VALUES ({places})", **values)[0]  # noqa: S608

    def claim(self, worker: str, *, is_alone: bool) -> Job | None:
        """As `JobStore.claim`."""
        if self._file.one("SELECT 1 FROM jobs WHERE status = 'queued' LIMIT 1") is None:
            return None
        with self._file.transaction():
            alone = self._file.one(_ALONE, lone=LONE_CRASHES)
            if alone and not is_alone:
                return None
            found = alone or self._file.one(_NEXT)
            if found is None:
                return None
            change = """
                UPDATE jobs SET status = 'in_progress', worker = :worker, started = :now,
                    turn = (SELECT COALESCE(MAX(turn), 0) + 1 FROM jobs) WHERE number = :number
            """
            now = self._clock()
            return self._changed(change, worker=worker, now=now, number=found[0])[0]

    def progress(self, job_id: str, worker: str, percent: int) -> bool:
        """As `JobStore.progress`."""
        change = f"UPDATE jobs SET progress = MAX(progress, MIN(:percent, 99)) WHERE {_ITS_OWN}"  # noqa: S608
        with self._file.transaction():
            return bool(self._changed(change, id=job_id, worker=worker, percent=percent))

    def finish(self, job_id: str, worker: str, outcome: JobOutcome) -> bool:
        """As `JobStore.finish`."""
        change = f"""
            UPDATE jobs SET status = :status, error = :error, nbytes = :nbytes, {ENDS},
                seconds = COALESCE(:seconds, seconds),
                progress = CASE WHEN :error IS NULL THEN 100 ELSE progress END
            WHERE {_ITS_OWN}
        """  # noqa: S608
        values: dict[str, Any] = {
            "status": "failed" if outcome.error else "completed",
            "error": error_text(outcome.error),
            "nbytes": outcome.nbytes,
            "seconds": outcome.seconds,
            "now": self._clock(),
        }
        with self._file.transaction():
            return bool(self._changed(change, id=job_id, worker=worker, **values))

    def give_back(self, worker: str) -> None:
        """As `JobStore.give_back`."""
        change = """
            UPDATE jobs SET status = 'queued', worker = NULL
            WHERE worker = :worker AND status = 'in_progress'
        """
        with self._file.transaction():
            self._changed(change, worker=worker)

    def crashed(self, worker: str, error: JobError, job_id: str | None = None) -> list[Job]:
        """As `JobStore.crashed`."""
        change = """
            UPDATE jobs SET crashes = crashes + 1, worker = NULL, status = 'queued'
            WHERE worker = :worker AND status = 'in_progress' AND (:id IS NULL OR id = :id)
        """
        failure = f"""
            UPDATE jobs SET status = 'failed', error = :error, nbytes = 0, {ENDS}
            WHERE id = :id AND crashes >= :maximum
        """  # noqa: S608
        told = {"error": error_text(error), "now": self._clock(), "maximum": MAX_CRASHES}
        with self._file.transaction():
            jobs = {job.id: job for job in self._changed(change, worker=worker, id=job_id)}
            for each in list(jobs):
                jobs |= {job.id: job for job in self._changed(failure, id=each, **told)}
        return list(jobs.values())

    def workers(self) -> set[str]:
        """As `JobStore.workers`."""
        query = "SELECT DISTINCT worker FROM jobs WHERE status = 'in_progress'"
        return {worker for (worker,) in self._file.all(query)}

    def get(self, owner: str, job_id: str) -> Job | None:
        """As `JobStore.get`."""
        row = self._file.one("SELECT * FROM jobs WHERE id = ? AND owner = ?", job_id, owner)
        return job_of(row) if row else None

    def number(self, owner: str, job_id: str) -> int | None:
        """As `JobStore.number`."""
        row = self._file.one("SELECT number FROM jobs WHERE id = ? AND owner = ?", job_id, owner)
        return int(row[0]) if row else None

    def position(self, job: Job) -> int:
        """As `JobStore.position`."""
        rank = """
            SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND owner = :owner
                AND number <= (SELECT number FROM jobs WHERE id = :id)
        """
        (own,) = self._file.one(rank, owner=job.owner, id=job.id) or (0,)
        (before,) = self._file.one(_BEFORE, owner=job.owner, rank=own) or (0,)
        # One that was claimed meanwhile has been told as queued, and was the next.
        return max(1, int(own + before))

    def page(self, owner: str, page: JobPage) -> list[Job]:
        """As `JobStore.page`."""
        order, behind = ("ASC", ">") if page.order == "asc" else ("DESC", "<")
        query = f"""
            SELECT {LISTED} FROM jobs WHERE owner = :owner
                AND (:after IS NULL OR number {behind} :after)
                AND (:status IS NULL OR status = :status)
            ORDER BY number {order} LIMIT :limit
        """  # noqa: S608
        values = {"after": page.after, "status": page.status, "limit": page.limit}
        return [job_of(row) for row in self._file.all(query, owner=owner, **values)]

    def cancel(self, owner: str, job_id: str) -> bool:
        """As `JobStore.cancel`."""
        change = f"""
            UPDATE jobs SET status = 'cancelled', nbytes = 0, {ENDS}
            WHERE id = :id AND owner = :owner AND {_OPEN}
        """  # noqa: S608
        with self._file.transaction():
            return bool(self._changed(change, id=job_id, owner=owner, now=self._clock()))

    def remove(self, owner: str, job_id: str) -> Job | None:
        """As `JobStore.remove`."""
        change = "DELETE FROM jobs WHERE id = :id AND owner = :owner"
        with self._file.transaction():
            removed = self._changed(change, id=job_id, owner=owner)
        return removed[0] if removed else None

    def expire(self, *, keeps_events: bool = False) -> list[Job]:
        """As `JobStore.expire`."""
        over = "FROM jobs WHERE expires <= :now AND (webhook_due IS NULL OR NOT :keeps)"
        values = {"now": self._clock(), "keeps": keeps_events}
        if self._file.one(f"SELECT 1 {over} LIMIT 1", **values) is None:
            return []
        with self._file.transaction():
            return self._changed(f"DELETE {over}", **values)

    def files(self) -> JobFiles:
        """As `JobStore.files`."""
        rows = self._file.all("SELECT id, upload, status FROM jobs")
        uploads = {row["upload"] for row in rows if row["status"] in ("queued", "in_progress")}
        return JobFiles(uploads, {row["id"] for row in rows})

    def totals(self) -> JobTotals:
        """As `JobStore.totals`."""
        counts = self._file.all("SELECT status, COUNT(*) FROM jobs GROUP BY status")
        waiting = "SELECT SUM(seconds), MIN(created) FROM jobs WHERE status = 'queued'"
        seconds, oldest = self._file.one(waiting) or (None, None)
        return JobTotals({row[0]: row[1] for row in counts}, seconds or 0.0, oldest)

    def close(self, worker: str) -> None:
        """As `JobStore.close`."""
        # Another thread may be about to claim a job: not between the two.
        with self._file.alone():
            try:
                self.give_back(worker)
                self.webhooks.give_back(worker)
            finally:
                self._file.close()

    def _changed(self, change: str, **names: object) -> list[Job]:
        """The jobs that a change has changed, as they are then."""
        return [job_of(row) for row in self._file.all(f"{change} RETURNING *", **names)]

    def _of_key(self, new: NewJob) -> Job | None:
        """The job that the idempotency key of another was used for."""
        query = "SELECT * FROM jobs WHERE owner = ? AND idempotency_key = ?"
        row = self._file.one(query, new.owner, new.idempotency_key)
        if row is None:
            return None
        if row["digest"] != new.digest:
            raise IdempotencyError
        return job_of(row)
