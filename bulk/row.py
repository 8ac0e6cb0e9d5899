"""A row of a manifest: a recording, its id, and what is asked of it alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Form fields that a row may have of its own, by their names in the manifest.
_FIELDS = {
    "language": "language",
    "prompt": "prompt",
    "initial_prompt": "prompt",
    "temperature": "temperature",
    "condition_on_previous_text": "condition_on_previous_text",
    "carry_initial_prompt": "carry_initial_prompt",
    "compression_ratio_threshold": "compression_ratio_threshold",
    "logprob_threshold": "logprob_threshold",
    "no_speech_threshold": "no_speech_threshold",
}
_MAX_ID = 1024
_MAX_SECONDS = 1e9


class RowFormatError(ValueError):
    """It is no row of a manifest."""


@dataclass(frozen=True, slots=True)
class Row:
    """`uri` is a path or a URL; `duration` is in seconds, None if the manifest has none.

    `fields` are form fields in the words of OpenAI's API, in place of those of the run.
    """

    id: str
    uri: str
    duration: float | None = None
    fields: tuple[tuple[str, str], ...] = ()


def row_of(members: object) -> Row:
    """The row of a JSON object; names that are not known are passed over.

    NeMo's `audio_filepath` is taken for `uri`.

    Raises:
        RowFormatError: it is none; the message says why.
    """
    if not isinstance(members, Mapping):
        raise RowFormatError("a row is a JSON object")
    uri = members.get("uri", members.get("audio_filepath"))
    if not isinstance(uri, str) or not uri or "\0" in uri:
        raise RowFormatError("a row needs a uri (or NeMo's audio_filepath), which is a text")
    if members.get("offset") not in (None, 0):
        raise RowFormatError("offset: parts of a recording cannot be transcribed, only all of it")
    given = members.get("id")
    row_id = id_of(uri) if given is None else _checked_id(given)
    return Row(row_id, uri, _duration(members.get("duration")), _fields(members))


def id_of(uri: str) -> str:
    """The id of a row that has none: the hex SHA-1 of its uri."""
    return hashlib.sha1(uri.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _checked_id(given: object) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise RowFormatError("id is neither a text nor a whole number")
    if not (text := str(given)) or len(text) > _MAX_ID:
        raise RowFormatError(f"id is empty, or longer than {_MAX_ID} characters")
    return text


def _duration(given: object) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise RowFormatError("duration is no number of seconds")
    # What is no number, as JSON of Python's may have it, is in no range either.
    if not 0 <= given <= _MAX_SECONDS:
        raise RowFormatError("duration is no number of seconds from 0 on")
    return float(given)


def _fields(members: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    options = members.get("options")
    if not isinstance(options, Mapping | None):
        raise RowFormatError("options is no object")
    given = dict(options or {})
    if members.get("language") is not None:
        given["language"] = members["language"]
    keywords = given.pop("keywords", None) or []
    if unknown := sorted(given.keys() - _FIELDS.keys()):
        raise RowFormatError(
            f"options has {unknown[0]!r}: known are {', '.join(_FIELDS)}, keywords"
        )
    if not isinstance(keywords, list):
        raise RowFormatError("options.keywords is no list of texts")
    found = {_FIELDS[name]: _as_text(name, value) for name, value in sorted(given.items())}
    words = (("keywords[]", _as_text("keywords", word)) for word in keywords)
    return (*found.items(), *words)


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise RowFormatError(f"{name} is neither a text, a number, true nor false")
    text = str(value)
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise RowFormatError(f"{name} is no text")
    return text
