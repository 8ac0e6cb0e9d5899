"""The fields of a request that say how its subtitles are cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from api.errors import ApiError
from models.subtitle_options import SubtitleOptions

SUBTITLE_FIELDS = {field.name for field in fields(SubtitleOptions)}


def subtitle_options(response_format: str, given: Mapping[str, Any]) -> SubtitleOptions:
    """The options with the values `given`, by field.

    Raises:
        ApiError: there are some, and the format has no cues.
        OptionError: a value cannot be served.
    """
    for name in given:
        if response_format not in ("srt", "vtt"):
            message = f"{name} needs response_format srt or vtt, not {response_format}"
            raise ApiError(message, param=name, code="unsupported_value")
    return SubtitleOptions(**given)
