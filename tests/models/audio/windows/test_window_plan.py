"""Windows: exact cases, and what holds for any spans."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.audio.vad.speech_spans import Span
from models.audio.windows.window_plan import PlannedWindow
from models.units import HOP, SAMPLE_RATE, VAD_FRAME, WINDOW_SAMPLES
from tests.models.audio.whole import plan_windows


def flat(length: int) -> NDArray[np.float32]:
    return np.full(-(-length // VAD_FRAME), 0.9, np.float32)


def seconds(*times: tuple[float, float]) -> list[Span]:
    """Spans at these times, rounded to frames."""
    return [Span(round(a * 31.25) * VAD_FRAME, round(b * 31.25) * VAD_FRAME) for a, b in times]


def plan(spans: list[Span], length: float = 300, padding_ms: int = 300) -> list[PlannedWindow]:
    samples = round(length * SAMPLE_RATE)
    return plan_windows(spans, flat(samples), samples, padding_ms)


def test_plan_windows_no_speech_no_windows() -> None:
    assert plan([]) == []


def test_plan_windows_pauses_stay_inside_and_padding_around() -> None:
    spans = seconds((2.08, 5.12), (7.04, 12.16))

    (window,) = plan(spans)

    assert window.spans == tuple(spans)
    assert window.start == 28_480  # 2.08 s - 0.3 s
    assert window.end == 199_360  # 12.16 s + 0.3 s


def test_plan_windows_padding_ends_with_the_recording() -> None:
    (window,) = plan(seconds((0.032, 9.92)), length=10)

    assert (window.start, window.end) == (0, 160_000)


def test_plan_windows_cut_at_the_longest_pause_near_the_limit() -> None:
    spans = seconds((0, 10), (10.3, 20), (21, 26), (26.2, 29), (29.2, 40))

    first, second = plan(spans)

    assert first.spans == tuple(spans[:2])
    assert second.spans == tuple(spans[2:])


def test_plan_windows_neighbours_meet_in_the_middle_of_a_short_pause() -> None:
    first, second = plan(seconds((0, 20.16), (20.48, 40)))

    assert first.end == second.start == 325_120  # 20.32 s


def test_plan_windows_far_apart_are_not_decoded_together() -> None:
    assert len(plan(seconds((0, 5), (15, 20)))) == 2
    assert len(plan(seconds((0, 5), (12, 20)))) == 1


def test_plan_windows_long_span_is_cut_where_speech_is_least_probable() -> None:
    length = 50 * SAMPLE_RATE
    probabilities = flat(length)
    quiet = round(24 * 31.25)
    probabilities[quiet - 2 : quiet + 3] = 0.5

    first, second = plan_windows([Span(0, length)], probabilities, length, 300)

    assert first.end == second.start
    assert abs(first.end / SAMPLE_RATE - 24) < 0.05


def test_speech_between_counts_speech_alone() -> None:
    window = PlannedWindow(0, 1000, (Span(100, 300), Span(600, 900)))

    assert window.speech_between(0, 1000) == 500
    assert window.speech_between(200, 700) == 200
    assert window.speech_between(300, 600) == 0
    assert window.speech_between(650, 700) == 50


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[Span], NDArray[np.float32], int]:
    """Spans as the detector finds them: on frames, and at least one apart."""
    parts = draw(st.lists(st.tuples(st.integers(1, 600), st.integers(1, 3000)), max_size=12))
    spans: list[Span] = []
    at = 0
    for pause, speech in parts:
        at += pause + speech
        spans.append(Span((at - speech) * VAD_FRAME, at * VAD_FRAME))
    missing = draw(st.integers(0, VAD_FRAME - 1)) if at else 0
    if spans:
        spans[-1] = Span(spans[-1].start, spans[-1].end - missing)
    seed = draw(st.integers(0, 1000))
    probabilities = np.random.default_rng(seed).random(at + 1, np.float32)
    return spans, probabilities, at * VAD_FRAME - missing


@given(recordings(), st.sampled_from([0, 30, 300, 5000]))
def test_plan_windows_any_spans_give_ordered_windows_that_hold_them_all(
    recording: tuple[list[Span], NDArray[np.float32], int], padding_ms: int
) -> None:
    spans, probabilities, length = recording

    windows = plan_windows(spans, probabilities, length, padding_ms)

    for window in windows:
        assert 0 <= window.start < window.end <= length
        assert window.end - window.start <= WINDOW_SAMPLES
        assert window.start % HOP == 0
        assert all(window.start <= s.start and s.end <= window.end for s in window.spans)
    assert all(a.end <= b.start for a, b in pairwise(windows))
    pieces = [piece for window in windows for piece in window.spans]
    covered = np.zeros(length, bool)
    for piece in pieces:
        covered[piece.start : piece.end] = True
    expected = np.zeros(length, bool)
    for span in spans:
        expected[span.start : span.end] = True
    assert np.array_equal(covered, expected)


@given(recordings())
def test_plan_windows_only_long_spans_are_cut(
    recording: tuple[list[Span], NDArray[np.float32], int],
) -> None:
    spans, probabilities, length = recording

    windows = plan_windows(spans, probabilities, length, 300)

    short = {span for span in spans if span.length <= WINDOW_SAMPLES - 2 * (4800 + HOP)}
    assert short <= {piece for window in windows for piece in window.spans}
