"""Subtitle fields: limits of lines and cues, and highlighted words."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.errors import ApiError
from models.subtitle_options import AS_SEGMENTS, BOUNDS, SubtitleOptions

_HIGHLIGHT = "highlight_words"


def _limit(name: str, of: str, example: float) -> dict[str, Any]:
    """The description of a field, with its bounds, which `SubtitleOptions` holds."""
    minimum, maximum = BOUNDS[name]
    extreme = "most" if name.startswith("max") else "least"
    return {
        "description": f"With `srt`, `vtt`: the {extreme} {of}.",
        "examples": [example],
        "json_schema_extra": {"minimum": minimum, "maximum": maximum},
    }


class SubtitleParameters(BaseModel):
    """Limits of the cues of srt and vtt; a cue a segment where none is given."""

    max_line_width: int | None = Field(None, **_limit("max_line_width", "characters a line", 42))
    max_line_count: int | None = Field(None, **_limit("max_line_count", "lines a cue", 2))
    max_words_per_line: int | None = Field(None, **_limit("max_words_per_line", "words a line", 8))
    min_cue_duration: float | None = Field(None, **_limit("min_cue_duration", "seconds a cue", 1.5))
    max_cue_duration: float | None = Field(None, **_limit("max_cue_duration", "seconds a cue", 7.5))

    @property
    def has_subtitle_options(self) -> bool:
        """True if any of them was given."""
        return bool(self._given)

    @property
    def has_limits(self) -> bool:
        """True if any limit of lines or cues was given."""
        return bool(self._given.keys() & BOUNDS.keys())

    def subtitle_options(self, response_format: str) -> SubtitleOptions:
        """The options.

        Raises:
            ApiError: there are some, and the format has no cues.
            OptionError: a value cannot be served.
        """
        for name in self._given:
            if response_format not in ("srt", "vtt"):
                message = f"{name} needs response_format srt or vtt, not {response_format}"
                raise ApiError(message, param=name, code="unsupported_value")
        return SubtitleOptions(**self._given) if self._given else AS_SEGMENTS

    @property
    def _given(self) -> dict[str, Any]:
        return self.model_dump(include={*BOUNDS, _HIGHLIGHT}, exclude_defaults=True)


class HighlightParameters(SubtitleParameters):
    """In addition highlighted words, of what has times of words."""

    highlight_words: bool = Field(
        False,
        description="With `srt`, `vtt`: each word underlined while it is said, in cues of its own.",
        examples=[True],
    )
