"""Spans: exact cases, and what holds for any probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.audio.vad.speech_spans import Span
from models.errors import OptionError
from models.options import VoiceOptions
from models.units import VAD_FRAME
from tests.models.audio.whole import speech_spans

VOICE = VoiceOptions()  # spans of 4 frames at least, joined over pauses of under 7
PROBABILITIES = st.lists(st.floats(0, 1, width=32), max_size=200)


def array(*stretches: tuple[float, int]) -> NDArray[np.float32]:
    return np.concatenate([np.full(n, p, np.float32) for p, n in stretches])


def spans(probabilities: NDArray[np.float32], options: VoiceOptions = VOICE) -> list[Span]:
    return speech_spans(probabilities, len(probabilities) * VAD_FRAME, options)


def test_speech_spans_silence_has_none() -> None:
    assert spans(array((0.1, 50))) == []
    assert speech_spans(np.zeros(0, np.float32), 0, VOICE) == []


def test_speech_spans_begin_at_the_threshold_and_last_while_near_it() -> None:
    found = spans(array((0.0, 5), (0.4, 5), (0.6, 5), (0.4, 5), (0.3, 10)))

    assert found == [Span(10 * VAD_FRAME, 20 * VAD_FRAME)]


def test_speech_spans_short_pause_joins_and_long_pause_parts() -> None:
    assert spans(array((0.9, 10), (0.0, 6), (0.9, 10))) == [Span(0, 26 * VAD_FRAME)]
    assert spans(array((0.9, 10), (0.0, 7), (0.9, 10))) == [
        Span(0, 10 * VAD_FRAME),
        Span(17 * VAD_FRAME, 27 * VAD_FRAME),
    ]


def test_speech_spans_click_is_dropped() -> None:
    assert spans(array((0.0, 20), (0.9, 3), (0.0, 20))) == []
    assert spans(array((0.0, 20), (0.9, 4), (0.0, 20))) == [Span(20 * VAD_FRAME, 24 * VAD_FRAME)]


def test_speech_spans_last_frame_ends_with_the_recording() -> None:
    assert speech_spans(array((0.9, 10)), 9 * VAD_FRAME + 1, VOICE) == [Span(0, 9 * VAD_FRAME + 1)]


@given(
    PROBABILITIES,
    st.floats(0.01, 1),
    st.integers(0, 1000),
    st.integers(0, 300),
    st.integers(1, VAD_FRAME),
)
def test_speech_spans_any_probabilities_are_ordered_apart_and_inside(
    values: list[float], threshold: float, silence_ms: int, speech_ms: int, last: int
) -> None:
    options = VoiceOptions(threshold, 0, silence_ms, speech_ms)
    length = max(0, (len(values) - 1) * VAD_FRAME + last) if values else 0

    found = speech_spans(np.array(values, np.float32), length, options)

    for span in found:
        assert 0 <= span.start < span.end <= length
        assert max(values[span.start // VAD_FRAME : -(-span.end // VAD_FRAME)]) >= np.float32(
            threshold
        )
    for a, b in pairwise(found):
        assert b.start - a.end >= max(VAD_FRAME, silence_ms * 16)


@given(PROBABILITIES)
def test_speech_spans_hold_every_frame_of_speech_when_none_is_too_short(
    values: list[float],
) -> None:
    found = spans(np.array(values, np.float32), VoiceOptions(min_speech_duration_ms=0))

    covered = {frame for s in found for frame in range(s.start // VAD_FRAME, s.end // VAD_FRAME)}
    assert {i for i, value in enumerate(values) if value >= 0.5} <= covered


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("threshold", float("nan")),
        ("prefix_padding_ms", -1),
        ("silence_duration_ms", 5001),
        ("min_speech_duration_ms", -5),
    ],
)
def test_voice_options_refuse_what_cannot_be_served(option: str, value: float) -> None:
    with pytest.raises(OptionError) as caught:
        VoiceOptions(**{option: value})  # type: ignore[arg-type]
    assert caught.value.option == option
