"""The query of a job's result: the answer's fields, named as those of a form are."""

from __future__ import annotations

import re

from starlette.datastructures import QueryParams

from api.jobs.job_form import ANSWER_FIELDS

_INDEX = re.compile(r"\[[0-9]*\]$")


def answer_fields(query: QueryParams) -> dict[str, list[str]]:
    """The values of the answer's fields, without empty ones; others are ignored.

    `include`, `include[]` and `include[0]` are the same.
    """
    fields: dict[str, list[str]] = {}
    for key, value in query.multi_items():
        name = _INDEX.sub("", key)
        if name in ANSWER_FIELDS and value.strip():
            fields.setdefault(name, []).append(value.strip())
    return fields
