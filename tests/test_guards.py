"""What is decoded again, what is dropped, what is doubted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.engine.sequence import DecodingResult
from models.guards import is_good, says_nothing
from models.options import TranscribeOptions

OPTIONS = TranscribeOptions()
OFF = replace(
    OPTIONS,
    compression_ratio_threshold=None,
    logprob_threshold=None,
    no_speech_threshold=None,
    drop_logprob_threshold=None,
)


def result(
    logprob: float, *, ratio: float = 1.0, silence: float = 0.0, least: float | None = None
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
        least_logprob=logprob if least is None else least,
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
    assert is_good(OPTIONS, found) is good
    assert is_good(OFF, found)


@pytest.mark.parametrize(
    ("found", "nothing"),
    [
        (result(-0.5, silence=0.7), False),
        (result(-1.5, silence=0.7), True),
        (result(-1.5, silence=0.3), False),
        (result(-1.5, silence=0.3, least=-3.0), True),
        (result(-1.5, silence=0.1, least=-3.0), False),
    ],
)
def test_says_nothing(found: DecodingResult, nothing: bool) -> None:
    assert says_nothing(OPTIONS, found) is nothing
    assert not says_nothing(OFF, found)
