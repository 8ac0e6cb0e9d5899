"""A transcript, as a server answered it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from client.backend.errors import NoTranscriptError


@dataclass(frozen=True)
class Transcript:
    """`body` is JSON, to the byte as the server wrote it: verbose_json, or text alone."""

    body: str

    @cached_property
    def members(self) -> Mapping[str, Any]:
        """The members of the JSON object.

        Raises:
            NoTranscriptError: it is none, or has no text.
        """
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("text"), str):
            raise NoTranscriptError("the server's answer is no transcript")
        return found

    @property
    def text(self) -> str:
        """The whole text."""
        return str(self.members["text"])

    @property
    def duration(self) -> float | None:
        """The recording's length in seconds, where it is told."""
        found = self.members.get("duration")
        return float(found) if isinstance(found, int | float) else None
