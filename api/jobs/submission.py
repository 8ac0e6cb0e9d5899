"""Submission of a job: a request with `background=true` to a row, and its recording on the disk."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from api.errors import ApiError
from api.forms.parameters import TranslationRequest
from api.forms.read_form import Form, not_kept
from api.jobs.job_answers import job_response
from api.jobs.job_config import OpenJobs
from api.jobs.job_form import fields_digest, kept_fields
from api.jobs.jobs import jobs_of
from api.request_context import context_of
from api.requests.model_registry import registry_of
from api.webhooks.webhook_config import checked_url
from models.audio.container.length import estimated_seconds
from models.jobs.job import NewJob, new_job_id
from models.jobs.job_budget import JobBudget

_MAX_KEY = 255


async def submit(request: Request, form: Form, parameters: TranslationRequest) -> Response:
    """202 with the job, once it is on the disk.

    Raises:
        ApiError: jobs are off, or webhooks, or the fields too large (400), or the recording cannot
            be kept (503).
        IdempotencyError: the request's idempotency key was used for something else.
        OverloadedError, JobDiskError, JobStoreError, ModelNotFoundError
    """
    jobs, owner = jobs_of(request), context_of(request).key_digest
    model = registry_of(request).find(parameters.model).name
    keep = min(parameters.expires_after or jobs.config.keep_seconds, jobs.config.keep_seconds)
    key = _idempotency_key(request)
    without = NewJob(
        id=new_job_id(),
        owner=owner,
        task=parameters.task,
        model=model,
        fields=kept_fields(parameters.task, form.fields),
        metadata=parameters.metadata,
        keep_seconds=keep,
        idempotency_key=key,
        webhook_url=checked_url(parameters.webhook_url, jobs.config.webhooks),
        webhook_text="text" in parameters.webhook_include,
    )
    made = partial(_with_recording, without, form, jobs.config.budget)
    try:
        job, position = await jobs.submit(made)
    except OSError as error:
        raise not_kept(error) from error
    return job_response(job, position, status=202)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > _MAX_KEY:
        message = f"The idempotency key is too long: it may have {_MAX_KEY} characters."
        raise ApiError(message, code="invalid_value")
    return key or None


def _with_recording(job: NewJob, form: Form, budget: JobBudget, opened: OpenJobs) -> NewJob:
    """The job with its recording, which is on the disk; raises as `JobStore.check`."""
    seconds, size = estimated_seconds(form.file), form.file.seek(0, os.SEEK_END)
    if job.idempotency_key is None:
        # Nothing is copied in vain; of a key that is known the job is there already.
        opened.store.check(replace(job, seconds=seconds, nbytes=size), budget)
    upload = opened.folder.keep_upload(job.id, opened.lock.id, form.file)
    return replace(
        job,
        upload=upload.name,
        nbytes=upload.nbytes,
        seconds=seconds,
        digest=fields_digest(form.fields, upload.sha256),
    )
