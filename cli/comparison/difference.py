"""A difference: its kind, where it is, and both values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

DifferenceKind = Literal[
    "status",  # the HTTP status
    "header",
    "body",  # JSON where the other has text
    "missing",  # a field that this server has not
    "additional",  # a field that this server alone has
    "type",  # of a field
    "value",  # of a field that programs decide by
    "text",  # words
    "spacing",  # the same words with other white space
    "count",  # of segments, words, cues
    "times",
    "usage",
    "layout",  # of a subtitle file
    "events",  # of a stream
]


@dataclass(frozen=True)
class Difference:
    """One difference: where it is, and what each side has; `detail` are numbers about it."""

    kind: DifferenceKind
    where: str
    here: object = None
    against: object = None
    detail: Mapping[str, float] = field(default_factory=dict)
