"""Options of a run, as a row has them, and as they are compared with those of an earlier run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bulk.row import Row
from client.backend.request import Request


def options_of(request: Request) -> dict[str, Any]:
    """What a result depends on beside the model, and which files it has, in JSON's types."""
    return {
        "task": request.task,
        "model": request.model,
        "word_timestamps": request.has_words,
        "formats": list(request.formats),
        **dict(request.layout),
        **_fields(request.fields),
    }


def options_hash(options: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the options' SHA-256."""
    text = json.dumps(options, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def request_for(row: Row, request: Request) -> Request:
    """The run's request, with the row's own fields in place of those of the same name."""
    if not row.fields:
        return request
    own = {name for name, _ in row.fields}
    kept = tuple(each for each in request.fields if each[0] not in own)
    return replace(request, fields=(*kept, *row.fields))


def _fields(fields: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields:
        if name.endswith("[]"):
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found
