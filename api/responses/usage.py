"""Usage of a request, as OpenAI's API bills it: seconds, or the tokens of a stream."""

from __future__ import annotations

import math

from api.schemas import InputTokens, UsageDuration, UsageTokens
from models.request_stats import RequestStats
from models.text.transcript import Transcript

_AUDIO_TOKENS_PER_SECOND = 10


def duration_usage(transcript: Transcript) -> UsageDuration | None:
    """The seconds of a transcription; a translation has no usage."""
    if transcript.task == "translate":
        return None
    return UsageDuration(seconds=math.ceil(transcript.duration))


def token_usage(transcript: Transcript, stats: RequestStats) -> UsageTokens:
    """The tokens of a transcription, which `stats` counted."""
    # Rounded first: 1.1 times ten is more than 11 in floats.
    audio = math.ceil(round(transcript.duration * _AUDIO_TOKENS_PER_SECOND, 6))
    read = stats.prompt_tokens + audio
    return UsageTokens(
        total_tokens=read + stats.tokens,
        input_tokens=read,
        input_token_details=InputTokens(text_tokens=stats.prompt_tokens, audio_tokens=audio),
        output_tokens=stats.tokens,
    )
