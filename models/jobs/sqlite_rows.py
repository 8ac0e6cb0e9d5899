"""Jobs to the rows of SQLite, and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from models.jobs.job import Job, JobError, NewJob

_OF_JOB = tuple(Job.__dataclass_fields__)
# The columns of a job in a list.
LISTED = ", ".join("'{}' AS fields" if name == "fields" else name for name in _OF_JOB)

# The end of a job, whose event is due from then on.
ENDS = """
    ended = :now, expires = :now + keep_seconds,
    webhook_due = CASE WHEN webhook_url IS NULL THEN NULL ELSE :now END
"""


def values_of(new: NewJob) -> dict[str, Any]:
    """The columns of a new job."""
    told = {"fields": json.dumps(dict(new.fields)), "metadata": json.dumps(dict(new.metadata))}
    # By it the events of one receiver are told from others'.
    host = urlsplit(new.webhook_url).hostname if new.webhook_url else None
    return {**asdict(new), **told, "webhook_host": host}


def row_nbytes(new: NewJob) -> int:
    """How many bytes of the disk a new job takes, with its upload."""
    values = values_of(new)
    texts = (values["fields"], values["metadata"], new.webhook_url or "")
    return new.nbytes + sum(len(text) for text in texts)


def error_text(error: JobError | None) -> str | None:
    """An error as a column has it."""
    return json.dumps(asdict(error)) if error else None


def job_of(row: sqlite3.Row) -> Job:
    """The job of a row."""
    values = {name: row[name] for name in _OF_JOB}
    error = JobError(**json.loads(row["error"])) if row["error"] else None
    told = {"fields": json.loads(row["fields"]), "metadata": json.loads(row["metadata"])}
    # SQLite has no type of its own for it.
    webhook_text = bool(row["webhook_text"])
    return Job(**{**values, **told, "error": error, "webhook_text": webhook_text})
