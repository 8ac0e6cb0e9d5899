"""Answers of each side to a clip, and their word errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scripts.shared.accuracy import Errors, count_errors
from scripts.shared.manifest import Clip

# Below it there is too little to tell a language by.
DETECTION_SECONDS = 3.0
# What is kept of a segment; both sides call it by the same names.
_SEGMENT_FIELDS = (
    "start",
    "end",
    "text",
    "temperature",
    "avg_logprob",
    "compression_ratio",
    "no_speech_prob",
)


@dataclass(frozen=True)
class Answer:
    """A text with its errors; `language` is the one detected, None where none was asked for."""

    text: str
    errors: Errors
    language: str | None
    segments: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Result:
    """A clip with our answer, and if asked for ours without guards, openai-whisper's, and ours in
    float32 with full padding.
    """

    clip: Clip
    ours: Answer
    unguarded: Answer | None = None
    reference: Answer | None = None
    exact: Answer | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self) | {"clip": asdict(self.clip) | {"path": str(self.clip.path)}}


def answer(
    clip: Clip, text: str, language: str | None, segments: Iterable[Mapping[str, Any]]
) -> Answer:
    """The answer, its errors counted against what is said in the clip.

    Raises:
        BenchError: jiwer is not installed.
    """
    kept = tuple({field: segment[field] for field in _SEGMENT_FIELDS} for segment in segments)
    errors = count_errors(clip.text or "", text, clip.language)
    return Answer(text.strip(), errors, language, kept)


def told_language(clip: Clip) -> str | None:
    """The language that both sides are told: the one spoken; where nobody speaks, none."""
    return clip.language if clip.is_speech else None


def asks_language(clip: Clip) -> bool:
    """True if both sides are also asked for the clip's language."""
    return clip.is_speech and clip.seconds >= DETECTION_SECONDS
