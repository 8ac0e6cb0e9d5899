"""Fallback criteria, dropped segments and hallucination flags."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.engine.decoding.sequence import DecodingResult
from models.options import TranscribeOptions
from models.transcription.quality_checks import is_spoken, needs_no_fallback, says_nothing

OPTIONS = TranscribeOptions()
OFF = replace(
    OPTIONS,
    compression_ratio_threshold=None,
    logprob_threshold=None,
    no_speech_threshold=None,
    drop_logprob_threshold=None,
)


def result(
    logprob: float, *, ratio: float = 1.0, silence: float = 0.0, minimum: float | None = None
) -> DecodingResult:
    return DecodingResult(
        language="en",
        tokens=(),
        logprobs=(),
        text="",
        avg_logprob=logprob,
        no_speech_prob=silence,
        temperature=0.0,
        compression_ratio=ratio,
        min_logprob=logprob if minimum is None else minimum,
    )


@pytest.mark.parametrize(
    ("found", "good"),
    [
        (result(-0.5), True),
        (result(-1.5), False),
        (result(-0.5, ratio=3.0), False),
        (result(-1.5, silence=0.7), True),
        (result(-0.5, ratio=3.0, silence=0.7), False),
    ],
)
def test_is_good(found: DecodingResult, good: bool) -> None:
    assert needs_no_fallback(OPTIONS, found) is good
    assert needs_no_fallback(OFF, found)


@pytest.mark.parametrize(
    ("found", "nothing"),
    [
        (result(-0.5, silence=0.7), False),
        (result(-1.5, silence=0.7), True),
        (result(-1.5, silence=0.3), False),
        (result(-1.5, silence=0.3, minimum=-3.0), True),
        (result(-1.5, silence=0.1, minimum=-3.0), False),
    ],
)
def test_says_nothing(found: DecodingResult, nothing: bool) -> None:
    assert says_nothing(OPTIONS, found) is nothing
    assert not says_nothing(OFF, found)


@pytest.mark.parametrize(
    ("speech_seconds", "logprobs", "silence", "spoken"),
    [
        # heard clearly: whatever the decoder makes of it
        (0.5, [-4.0], 0.9, True),
        (3.0, [], 0.0, True),
        # hardly heard: a short word, or what noise makes Whisper say
        (0.2, [-0.4, -0.8], 0.3, True),
        (0.2, [-1.2], 0.5, True),
        (0.2, [-1.4], 0.9, False),
        (0.2, [-3.4], 0.3, False),
        # not heard: a whisper that the decoder reads, and the same words out of noise
        (0.0, [-0.3, -0.5], 0.05, True),
        (0.0, [-0.9, -0.7], 0.1, True),
        (0.0, [-0.4], 0.9, False),
        (0.0, [-1.4, -1.3], 0.05, False),
        (0.0, [-0.2], 1.0, False),
        # no text at all
        (0.2, [], 0.9, True),
        (0.0, [], 0.0, False),
    ],
)
def test_is_spoken_the_less_is_heard_the_surer_must_the_decoder_be(
    speech_seconds: float, logprobs: list[float], silence: float, spoken: bool
) -> None:
    assert is_spoken(result(-0.5, silence=silence), logprobs, speech_seconds) is spoken
