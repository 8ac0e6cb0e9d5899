"""The events of jobs in their rows of SQLite: which are due, who tells them, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from models.jobs.job import Job
from models.jobs.job_store import (
    WEBHOOK_KEEP_SECONDS,
    WEBHOOKS_PER_HOST,
    WEBHOOKS_PER_OWNER,
    WebhookAttempt,
)
from models.jobs.sqlite_file import SqliteFile
from models.jobs.sqlite_rows import job_of

# So that neither a receiver that is slow or down nor a key with many events keeps others waiting.
# Without keys all have one owner: ''.
NEXT = """
    SELECT number FROM jobs WHERE webhook_due <= :now AND webhook_worker IS NULL
        AND webhook_host NOT IN (
            SELECT webhook_host FROM jobs WHERE webhook_worker = :worker
            GROUP BY webhook_host HAVING COUNT(*) >= :per_host)
        AND owner NOT IN (
            SELECT owner FROM jobs WHERE webhook_worker = :worker AND owner != ''
            GROUP BY owner HAVING COUNT(*) >= :per_owner)
    ORDER BY webhook_due, number LIMIT 1
"""
_CLAIM = "UPDATE jobs SET webhook_worker = :worker WHERE number = :number RETURNING *"
_NOTE = """
    UPDATE jobs SET webhook_worker = NULL, webhook_attempts = webhook_attempts + 1,
        webhook_status = :status, webhook_error = :error, webhook_due = :now + :again,
        expires = CASE WHEN :again IS NULL THEN MAX(expires, :now + :keep) ELSE expires END
    WHERE id = :id AND webhook_worker = :worker RETURNING id
"""


class SqliteWebhooks:
    """The events of the jobs in `file`; `clock` gives Unix seconds, by which they are due."""

    def __init__(self, file: SqliteFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    def claim(self, worker: str) -> Job | None:
        """As `WebhookStore.claim`."""
        # Read alone, as it is asked every second, and a transaction keeps others from writing.
        if self._next(worker) is None:
            return None
        with self._file.transaction():
            number = self._next(worker)
            if number is None:
                return None
            (row,) = self._file.all(_CLAIM, worker=worker, number=number)
        return job_of(row)

    def note(self, job_id: str, worker: str, attempt: WebhookAttempt) -> bool:
        """As `WebhookStore.note`."""
        told = {**asdict(attempt), "now": self._clock(), "keep": WEBHOOK_KEEP_SECONDS}
        with self._file.transaction():
            return bool(self._file.all(_NOTE, id=job_id, worker=worker, **told))

    def give_back(self, worker: str) -> None:
        """As `WebhookStore.give_back`."""
        change = "UPDATE jobs SET webhook_worker = NULL WHERE webhook_worker = :worker"
        with self._file.transaction():
            self._file.all(change, worker=worker)

    def workers(self) -> set[str]:
        """As `WebhookStore.workers`."""
        query = "SELECT DISTINCT webhook_worker FROM jobs WHERE webhook_worker IS NOT NULL"
        return {worker for (worker,) in self._file.all(query)}

    def _next(self, worker: str) -> int | None:
        values = {"now": self._clock(), "worker": worker, "per_owner": WEBHOOKS_PER_OWNER}
        for share in range(1, WEBHOOKS_PER_HOST + 1):
            if found := self._file.one(NEXT, per_host=share, **values):
                return int(found[0])
        return None
