"""Generated requests, of which a share has audio and can be served."""

from __future__ import annotations

from copy import copy
from typing import Any, get_args
from zlib import crc32

import schemathesis

from api.forms.job_fields import JobParameters
from api.forms.parameters import ResponseFormat
from api.forms.subtitle_fields import HighlightParameters
from tests.wire.http import CLIP

Case = schemathesis.Case[Any]

FORMATS = get_args(ResponseFormat)
# The only formats a field may be given with.
FORMATS_OF = {
    "timestamp_granularities": ("verbose_json",),
    "include": ("json", "verbose_json"),
    "stream": ("json", "text"),
    **dict.fromkeys(HighlightParameters.model_fields, ("srt", "vtt")),
}
# Values that no schema can tell from others: words of a language, what the recording has.
SERVED = {
    "language": "en",
    "languages": ["en", "English"],
    "keywords": ["Kubernetes"],
    "hotwords": ["BentoML"],
    "channel": 0,
    "audio_track": 0,
}


def give_audio(case: Case) -> bool:
    """Put a recording and a model into every third form; whether all of it can be served now.

    The choice is by content, so that a case is the same one whenever it is tried.
    """
    body: Any = copy(case.body)
    if case.method != "POST" or not isinstance(body, dict) or not {"file", "model"} <= set(body):
        return False
    choice, left_out = divmod(crc32(repr(body).encode(errors="replace")), 3)
    if left_out:
        return False
    assert case.meta
    is_valid = case.meta.generation.mode.is_positive
    if is_valid:
        stream, number = divmod(choice, len(FORMATS))
        body = {"response_format": FORMATS[number], "stream": stream % 2 == 0, **body}
        body = _together(body)
    body["file"] = CLIP.read_bytes()
    body["model"] = "tiny.en" if "transcriptions" in case.path else "base"
    case.body = body
    return is_valid


def _together(body: dict[str, Any]) -> dict[str, Any]:
    """The fields without those that cannot be given together; with values that can be served."""
    response_format = body["response_format"]
    kept = {
        name: value
        for name, value in body.items()
        if response_format in FORMATS_OF.get(name, (response_format,))
    }
    for name in JobParameters.model_fields:
        # They have a test of their own.
        kept.pop(name, None)
    if "condition_on_previous_text" in kept:
        kept.pop("chunking_strategy", None)
    if "min_cue_duration" in kept:
        kept.pop("max_cue_duration", None)
    if not kept.get("stream"):
        kept.pop("stream_events", None)
    if "include" in kept:
        kept["include"] = ["logprobs"]
    if "include" in kept and response_format == "verbose_json":
        kept |= {"include": ["word_probability"], "timestamp_granularities": ["word"]}
    return kept | {name: value for name, value in SERVED.items() if name in kept}
