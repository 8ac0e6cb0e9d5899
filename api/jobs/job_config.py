"""Configuration of background jobs, and the store, folder and lock that it leads to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from api.server_log import logger
from api.settings import Settings
from api.webhooks.webhook_config import WebhookConfig, webhook_config
from models.errors import JobStoreError
from models.jobs.job_budget import JobBudget
from models.jobs.job_folder import JobFolder
from models.jobs.job_store import JobStore
from models.jobs.sqlite_job_store import SqliteJobStore
from models.jobs.worker_lock import WorkerLock
from models.units import MIB

_DATABASE = "jobs.sqlite3"


@dataclass(frozen=True)
class OpenJobs:
    """A store of jobs, their files, and the lock of this worker; whether it tells their events."""

    store: JobStore
    folder: JobFolder
    lock: WorkerLock
    has_webhooks: bool = False

    def sweep(self) -> None:
        """Remove what dead workers have left."""
        self.folder.sweep(self.store.files, self.lock.is_alive)
        self.lock.sweep()

    def close(self) -> None:
        """Close the store; the worker's jobs are anybody's."""
        try:
            self.store.close(self.lock.id)
        except JobStoreError:
            logger.warning("Jobs could not be given back: they count as crashed")
        self.lock.close()


@dataclass(frozen=True)
class JobConfig:
    """Where jobs are kept, how much of them, and for how many seconds after their end.

    Without `webhooks` nobody is told of their end. `clock` gives Unix seconds.
    """

    root: Path
    budget: JobBudget
    keep_seconds: int
    webhooks: WebhookConfig | None = None
    clock: Callable[[], float] = time.time

    @classmethod
    def of(cls, settings: Settings, home: Path) -> Self:
        """What these settings mean, where BentoML's files are in `home`."""
        budget = JobBudget(settings.jobs_seconds, settings.jobs_disk_mib * MIB)
        root, webhooks = settings.jobs_dir or home / "jobs", webhook_config(settings)
        return cls(root, budget, settings.jobs_expire_seconds, webhooks)

    @property
    def has_jobs(self) -> bool:
        """True if there is a store from before."""
        return (self.root / _DATABASE).exists()

    def opened(self) -> OpenJobs:
        """The store and what belongs to it, without what dead workers have left.

        Raises:
            JobStoreError: the folder or the database cannot be used.
        """
        try:
            folder = JobFolder(self.root)
            lock = WorkerLock(folder.workers)
            store = SqliteJobStore(self.root / _DATABASE, self.clock)
            found = OpenJobs(store, folder, lock, self.webhooks is not None)
            found.sweep()
        except OSError as error:
            logger.warning("Jobs in %s: %s", self.root, error)
            message = "The server cannot read or write its background jobs at present."
            raise JobStoreError(message) from error
        return found
