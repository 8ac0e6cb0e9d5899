"""The form of a transcription: what is asked for, and the name of the file."""

from __future__ import annotations

from pathlib import PurePath

from client.backend.request import Request
from client.remote.abilities import EVENTS, Abilities

_PATHS = {"transcribe": "audio/transcriptions", "translate": "audio/translations"}
_MAX_SUFFIX = 10


def path_of(request: Request) -> str:
    """The endpoint below the base URL."""
    return _PATHS[request.task]


def form_of(request: Request, abilities: Abilities) -> dict[str, str | list[str]]:
    """The text fields; a translation has no stream, and no times of words."""
    form: dict[str, str | list[str]] = {"model": request.model, **_repeated(request.fields)}
    is_transcription = request.task == "transcribe"
    if is_transcription and abilities.streams:
        form |= {"response_format": "json", "stream": "true", "stream_events[]": list(EVENTS)}
    else:
        # Some models of OpenAI's have no verbose_json: where they do, it is not always needed.
        is_verbose = abilities.writes_subtitles or _needs_more_than_text(request)
        form["response_format"] = "verbose_json" if is_verbose else "json"
    if is_transcription and request.needs_words:
        form["timestamp_granularities[]"] = ["segment", "word"]
    return form


def upload_name(path: PurePath) -> str:
    """A name for the file that says nothing but its kind, which some servers tell it by."""
    suffix = path.suffix[1:]
    is_kind = suffix.isascii() and suffix.isalnum() and len(suffix) <= _MAX_SUFFIX
    return f"recording.{suffix.lower()}" if is_kind else "recording"


def _needs_more_than_text(request: Request) -> bool:
    return request.has_words or any(name != "txt" for name in request.formats)


def _repeated(fields: tuple[tuple[str, str], ...]) -> dict[str, str | list[str]]:
    """Fields by name; those whose name ends in `[]` have every value."""
    found: dict[str, str | list[str]] = dict(fields)
    for name in found:
        if name.endswith("[]"):
            found[name] = [value for other, value in fields if other == name]
    return found
