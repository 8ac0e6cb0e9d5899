"""Feature detection: what a server supports beyond OpenAI's API, by its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SUBTITLES = "/v1/audio/subtitles"
_BODY = ("post", "requestBody", "content", "application/json", "schema", "properties")
_TRANSCRIPTIONS = "/v1/audio/transcriptions"
_JOB = "/v1/audio/transcriptions/{job_id}"
# From an operation to the fields of its form.
_FIELDS = ("post", "requestBody", "content", "multipart/form-data", "schema", "properties")
# Those that a transcription is asked for with.
EVENTS = ("progress", "verbose_json")


@dataclass(frozen=True)
class Abilities:
    """`streams`: a transcription tells how far it is, and ends with all of verbose_json.

    `writes_subtitles`: a transcript is made into subtitles by the server; `highlights`: with its
    words underlined, if that is asked for. `keeps_jobs`: it has background jobs. A server that is
    not known to have them is asked for plain verbose_json, as OpenAI's API describes it.
    """

    streams: bool = False
    writes_subtitles: bool = False
    highlights: bool = False
    keeps_jobs: bool = False

    @staticmethod
    def described_by(document: object) -> Abilities:
        """The abilities that an OpenAPI document describes."""
        events = _members(document, "paths", _TRANSCRIPTIONS, *_FIELDS, "stream_events", "items")
        known, paths = events.get("enum"), _members(document, "paths")
        return Abilities(
            streams=isinstance(known, list) and set(EVENTS) <= set(map(str, known)),
            writes_subtitles=_SUBTITLES in paths,
            highlights="highlight_words" in _members(document, "paths", _SUBTITLES, *_BODY),
            keeps_jobs=_JOB in paths,
        )


def _members(value: object, *names: str) -> Mapping[str, Any]:
    """The object that these names lead to, one within the other; empty where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
