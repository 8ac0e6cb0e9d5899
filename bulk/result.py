"""Results: the line of a row that is done or failed, and how its head is read without its text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bulk.errors import RowError
from bulk.row import Row

Status = Literal["ok", "empty", "failed"]
_STATUSES = ("ok", "empty", "failed")
# What follows is not read to count results. Within a JSON string the marks would be escaped.
_TEXT = b', "text": '


class NoResultError(ValueError):
    """A line of a part is no result."""


@dataclass(frozen=True)
class Result:
    """What a row came to.

    `members` is verbose_json, empty if it failed. `seconds` are those that the engine had it at
    the last try, `attempts` how often it was tried.
    """

    row: Row
    members: Mapping[str, Any] = field(default_factory=dict)
    error: RowError | None = None
    attempts: int = 1
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        """`empty` is a recording without text."""
        if self.error is not None:
            return "failed"
        return "ok" if str(self.members.get("text", "")).strip() else "empty"

    @property
    def duration(self) -> float | None:
        """Seconds of audio, as heard, else as the manifest has it."""
        heard = self.members.get("duration")
        return float(heard) if isinstance(heard, int | float) else self.row.duration


@dataclass(frozen=True)
class Origin:
    """What made a result: the model, the hash of the options, the host."""

    model_tag: str
    options_hash: str
    host: str


def line_of(result: Result, origin: Origin) -> bytes:
    """The result as a line of JSON, its head first."""
    members, error = result.members, result.error
    line: dict[str, Any] = {
        "id": result.row.id,
        "uri": result.row.uri,
        "status": result.status,
        "error": error and {"code": error.code, "message": error.message},
        "attempts": result.attempts,
        "language": members.get("language"),
        "duration": result.duration,
        "seconds": round(result.seconds, 3),
        "host": origin.host,
        "model_tag": origin.model_tag,
        "options_hash": origin.options_hash,
        "text": members.get("text", ""),
        "segments": members.get("segments") or [],
    }
    if "words" in members:
        line["words"] = members["words"]
    # Halves of characters, which names of files may have, become the escapes that JSON has of them.
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def head_of(line: bytes) -> dict[str, Any]:
    """The members of a result before its text; all of them if the line was written by others.

    Raises:
        ValueError: it is no JSON, or no result.
    """
    end = line.find(_TEXT)
    if not line.endswith(b"}\n"):
        raise NoResultError("it is not whole")
    members = json.loads(line if end < 0 else line[:end] + b"}")
    if not isinstance(members, dict) or not _is_head(members):
        raise NoResultError("it is no result")
    return members


def _is_head(members: dict[str, Any]) -> bool:
    """Whether it has what results are counted by."""
    error, duration = members.get("error"), members.get("duration")
    if not isinstance(members.get("id"), str) or members.get("status") not in _STATUSES:
        return False
    if error is not None and not (isinstance(error, dict) and isinstance(error.get("code"), str)):
        return False
    return isinstance(duration, int | float | None)
