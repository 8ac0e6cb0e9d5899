"""Prometheus meters of background jobs, which all workers share."""

from __future__ import annotations

import time
from typing import Literal, get_args

from api.telemetry.meters import Meters
from models.jobs.job import JobStatus
from models.jobs.job_store import JobTotals

# Every worker tells the same of one store: the last word counts.
_MODE: Literal["livemostrecent"] = "livemostrecent"


class JobMeters:
    """Background jobs as they are in the store, by their status."""

    def __init__(self, make: Meters) -> None:
        self.jobs = make.gauge(
            "whisper_jobs",
            "Background jobs in the store, by status.",
            ("state",),
            multiprocess_mode=_MODE,
        )
        self.queued = make.gauge(
            "whisper_jobs_queued_seconds",
            "Audio of the background jobs that wait.",
            multiprocess_mode=_MODE,
        )
        self.oldest = make.gauge(
            "whisper_jobs_oldest_seconds",
            "How long the oldest of the background jobs that wait has waited.",
            multiprocess_mode=_MODE,
        )
        self.webhooks = make.counter(
            "whisper_webhooks_total",
            "Attempts to send webhooks: delivered, retried later, or failed for good.",
            ("outcome",),
        )

    def note_webhook(self, outcome: str) -> None:
        """Count an attempt to send a webhook."""
        self.webhooks.labels(outcome).inc()

    def note(self, totals: JobTotals) -> None:
        """Take over the state of the store."""
        for status in get_args(JobStatus):
            self.jobs.labels(status).set(totals.by_status.get(status, 0))
        self.queued.set(totals.queued_seconds)
        waited = 0.0 if totals.oldest is None else time.time() - totals.oldest
        self.oldest.set(max(0.0, waited))
