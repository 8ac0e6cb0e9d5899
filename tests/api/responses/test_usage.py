"""Tests of what a request is billed by."""

from __future__ import annotations

import pytest

from api.responses.usage import duration_usage, token_usage
from api.schemas import InputTokens, UsageTokens
from models.request_stats import RequestStats
from models.text.transcript import Transcript


def lasting(seconds: float) -> Transcript:
    """A transcript of that length."""
    return Transcript("transcribe", "en", seconds, ())


@pytest.mark.parametrize(
    ("seconds", "tokens"),
    [(0.0, 0), (0.01, 1), (1.1, 11), (1.7, 17), (1.70001, 18), (6.4, 64), (3600.0, 36_000)],
)
def test_audio_tokens_are_ten_a_second(seconds: float, tokens: int) -> None:
    usage = token_usage(lasting(seconds), RequestStats())

    assert usage.input_token_details.audio_tokens == usage.input_tokens == tokens


def test_token_usage_adds_up() -> None:
    stats = RequestStats(tokens=10, prompt_tokens=4)

    assert token_usage(lasting(1.7), stats) == UsageTokens(
        total_tokens=31,
        input_tokens=21,
        input_token_details=InputTokens(text_tokens=4, audio_tokens=17),
        output_tokens=10,
    )


def test_duration_usage_is_rounded_up_and_not_that_of_a_translation() -> None:
    usage = duration_usage(lasting(1.7))

    assert usage is not None
    assert usage.seconds == 2
    assert duration_usage(Transcript("translate", "en", 1.7, ())) is None
