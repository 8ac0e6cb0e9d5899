"""Results of turns as events."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from models.live.events import Completed
from models.text.transcript import TokenScore, Transcript

# As `api/responses/usage.py` counts.
_TOKENS_PER_SECOND = 10


def completed(
    turn: int, text: str, language: str, seconds: float, logprobs: Sequence[TokenScore]
) -> Completed:
    """The last event of a turn."""
    return Completed(
        turn=turn,
        transcript=text,
        language=language,
        seconds=seconds,
        # Rounded first: 1.1 times ten is more than 11 in floats.
        audio_tokens=ceil(round(seconds * _TOKENS_PER_SECOND, 6)),
        output_tokens=len(logprobs),
        logprobs=tuple(logprobs),
    )


def logprobs_of(transcripts: Sequence[Transcript]) -> list[TokenScore]:
    """The tokens of the texts of several parts."""
    segments = (segment for transcript in transcripts for segment in transcript.segments)
    return [score for segment in segments for score in segment.scores]
