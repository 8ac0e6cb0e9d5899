"""Segments begin and end with their speech."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.speech_edges import SpeechBetween, at_speech
from models.text.transcript import Word
from tests.models.text.spoken import segment


def heard(*spans: tuple[float, float]) -> SpeechBetween:
    """A voice detector that hears these spans."""

    def between(start: float, end: float) -> float:
        return sum(max(0.0, min(b, end) - max(a, start)) for a, b in spans)

    return between


@pytest.mark.parametrize(
    ("spans", "slack", "times"),
    [
        # late sound: the window's start is no start of speech
        ([(5.3, 9.2)], 0.5, (5.3, 9.2)),
        # off by less than the slack, on one side or both
        ([(0.4, 9.2)], 0.5, (0.0, 9.2)),
        ([(0.4, 9.8)], 0.5, (0.0, 10.0)),
        ([(0.4, 9.8)], 0.0, (0.4, 9.8)),
        # pauses inside it change nothing
        ([(1.0, 2.0), (7.0, 9.0)], 0.0, (1.0, 9.0)),
        # speech on both sides as well
        ([(-3.0, 12.0)], 0.0, (0.0, 10.0)),
        # not heard at all, or too little of it to be what is said
        ([], 0.0, (0.0, 10.0)),
        ([(20.0, 22.0)], 0.0, (0.0, 10.0)),
        ([(8.0, 8.1)], 0.0, (0.0, 10.0)),
    ],
)
def test_at_speech(
    spans: list[tuple[float, float]], slack: float, times: tuple[float, float]
) -> None:
    found = at_speech(segment(0.0, 10.0, "Nobody said so."), heard(*spans), slack)

    assert (found.start, found.end) == pytest.approx(times, abs=0.03)
    assert found.text == "Nobody said so."


def test_at_speech_leaves_segments_with_words_alone() -> None:
    timed = replace(segment(0.0, 10.0, "So."), words=(Word(" So.", 0.0, 10.0, 1.0),))

    assert at_speech(timed, heard((4.0, 5.0)), 0.0) is timed


@given(st.lists(st.floats(-5, 15), min_size=2, max_size=8).map(sorted), st.floats(0, 2))
def test_at_speech_loses_no_speech(edges: list[float], slack: float) -> None:
    between = heard(*zip(edges[::2], edges[1::2], strict=False))
    before = segment(0.0, 10.0, "So.")

    found = at_speech(before, between, slack)

    assert 0.0 <= found.start <= found.end <= 10.0
    assert between(found.start, found.end) >= between(0.0, 10.0) - 0.06
