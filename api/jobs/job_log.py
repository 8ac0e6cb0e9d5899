"""The log of jobs: a line for each end, crash and webhook; never text, file name, key or URL."""

from __future__ import annotations

import logging

from api.server_log import logger
from models.jobs.job import Job
from models.jobs.job_store import JobOutcome, WebhookAttempt
from models.request_stats import RequestStats


def log_end(job: Job, outcome: JobOutcome, stats: RequestStats, seconds: float) -> None:
    """The line of a job that this worker has ended, after so many seconds of work."""
    status = "failed" if outcome.error else "completed"
    fields = {
        "job_id": job.id,
        "task": job.task,
        "model": job.model,
        "outcome": status,
        "audio_seconds": round(stats.audio_seconds, 3),
        "crashes": job.crashes,
        **{f"{name}_seconds": round(stage.seconds, 4) for name, stage in stats.stages.items()},
        "total_seconds": round(seconds, 4),
    }
    stages = ", ".join(f"{name} {stage.seconds:.3f}" for name, stage in stats.stages.items())
    sentence = (
        f"{job.id}: {status} in {seconds:.3f} s; {job.model}, {stats.audio_seconds:.1f} s of audio "
        f"({stages})"
    )
    logger.info(sentence, extra={"fields": fields})


def log_cancelled(job: Job) -> None:
    """The line of a job that its client has cancelled."""
    fields = {"job_id": job.id, "task": job.task, "model": job.model, "outcome": job.status}
    logger.info(f"{job.id}: cancelled at {job.progress} %", extra={"fields": fields})


def log_crash(job: Job) -> None:
    """The line of a job whose worker or engine has ended."""
    fields = {"job_id": job.id, "outcome": job.status, "crashes": job.crashes}
    sentence = f"{job.id}: {job.status} after crash {job.crashes}"
    logger.warning(sentence, extra={"fields": fields})


def log_webhook(job: Job, attempt: WebhookAttempt, outcome: str) -> None:
    """The line of an attempt to tell of a job's end."""
    number = job.webhook_attempts + 1
    fields = {
        "job_id": job.id,
        "webhook": outcome,
        "attempt": number,
        "status": attempt.status,
        "reason": attempt.error,
    }
    came = attempt.status if attempt.error is None else attempt.error
    sentence = f"{job.id}: webhook {outcome} at attempt {number}: {came}"
    if attempt.again is not None:
        sentence += f"; again in {attempt.again:.0f} s"
    level = logging.WARNING if outcome == "failed" else logging.INFO
    logger.log(level, sentence, extra={"fields": fields})
