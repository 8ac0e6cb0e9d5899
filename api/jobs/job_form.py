"""Forms of jobs: what is kept of a request's fields, and what they ask for when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO

from api.errors import ApiError
from api.forms.job_fields import JobParameters
from api.forms.parameters import TranscriptionRequest, TranslationRequest
from api.forms.read_form import Form
from api.forms.subtitle_fields import HighlightParameters
from models.jobs.job import Job
from models.options import MAX_CHARACTERS, Task

# What an answer is made of a transcript by.
ANSWER_FIELDS = (
    "response_format",
    "timestamp_granularities",
    "include",
    *HighlightParameters.model_fields,
)
_KINDS: dict[Task, type[TranslationRequest]] = {
    "transcribe": TranscriptionRequest,
    "translate": TranslationRequest,
}
# Fields without a meaning for the work, of which some have megabytes.
_NOT_KEPT = {
    *JobParameters.model_fields,
    "stream",
    "stream_events",
    "known_speaker_names",
    "known_speaker_references",
}
# Of a job's fields, as JSON: a prompt in any script has up to 192 KiB of it.
MAX_KEPT_BYTES = 256 * 1024

Fields = Mapping[str, Sequence[str]]


def kept_fields(task: Task, fields: Fields) -> dict[str, list[str]]:
    """The fields of a request that its job is worked on by, each time anew.

    Of a prompt, which may have megabytes, the end is kept that counts.

    Raises:
        ApiError: they are too large together (400).
    """
    names = _KINDS[task].model_fields.keys() - _NOT_KEPT
    kept = {
        name: list(values) for name, values in fields.items() if name.partition("[")[0] in names
    }
    if prompts := kept.get("prompt"):
        kept["prompt"] = [prompts[-1].strip()[-MAX_CHARACTERS:]]
    if len(json.dumps(kept)) > MAX_KEPT_BYTES:
        message = f"The fields of a background job may have {MAX_KEPT_BYTES} bytes as JSON."
        raise ApiError(message, code="invalid_value")
    return kept


def fields_digest(fields: Fields, upload: str) -> str:
    """The SHA-256 of a request's fields and of its recording, of which `upload` is the SHA-256."""
    told = json.dumps([upload, sorted((name, list(values)) for name, values in fields.items())])
    return hashlib.sha256(told.encode()).hexdigest()


def parameters_of(task: Task, fields: Fields) -> TranslationRequest:
    """What fields ask for; raises what `from_form` does."""
    form = Form(BytesIO(), {name: list(values) for name, values in fields.items()})
    return _KINDS[task].from_form(form)


def answer_parameters(job: Job, asked: Fields) -> TranslationRequest:
    """What an answer about a job is to be made by.

    Any of `ANSWER_FIELDS` that is asked for stands in the place of all that came with the job.

    Raises:
        ApiError, OptionError: a value cannot be served, or needs words that the job has not.
    """
    made = parameters_of(job.task, job.fields)
    if not asked:
        return made
    others = {name: each for name, each in job.fields.items() if name not in ANSWER_FIELDS}
    wanted = parameters_of(job.task, {**others, **asked})
    options, had = wanted.options(), made.options()
    if options.word_timestamps and (had.word_timestamps, had.lead_in) != (True, options.lead_in):
        fields = sorted(set(asked) - {"response_format", "include"})
        message = (
            f"{', '.join(fields)} must come with the job: its words were not timed so. Subtitles "
            "of other limits can be made of its verbose_json by POST /v1/audio/subtitles."
        )
        raise ApiError(message, param=fields[0], code="unsupported_value")
    return wanted
