"""The log of jobs: a line for each end and for each crash; never text, file name or key."""

from __future__ import annotations

from api.server_log import logger
from models.jobs.job import Job
from models.jobs.job_store import JobOutcome
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
