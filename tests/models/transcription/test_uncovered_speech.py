"""Where a window's text leaves out what the voice detector hears."""

from __future__ import annotations

import pytest

from models.transcription.uncovered_speech import uncovered, without_repeated
from tests.models.text.spoken import segment

# Seconds of the recording with speech, in a window of 2 to 30 s.
SPOKEN = ((2.0, 6.0), (10.0, 12.0), (20.0, 26.0))
START, END = 2.0, 30.0


def speech(start: float, end: float) -> float:
    return sum(max(0.0, min(end, b) - max(start, a)) for a, b in SPOKEN)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([(2, 6), (10, 12), (20, 26)], []),
        ([(2, 6)], [(6, 30)]),
        ([(20, 26)], [(2, 20)]),
        ([(2, 6), (20, 26)], [(6, 20)]),
        ([(2, 6), (11.5, 26)], [(6, 11.5)]),
        ([(2, 26)], []),
        ([(2.5, 12), (20.5, 25.5)], []),
        ([(10, 12)], [(2, 10), (12, 30)]),
        # Texts one over the other, and one that ends behind the window.
        ([(2, 12), (9, 40)], []),
    ],
)
def test_speech_of_more_than_a_second(
    told: list[tuple[float, float]], found: list[tuple[float, float]]
) -> None:
    assert list(uncovered(told, START, END, speech, is_cut_off=False)) == found


@pytest.mark.parametrize(("end", "found"), [(25.5, [(25.5, 30)]), (26.0, [])])
def test_behind_a_text_that_is_cut_off_any_speech_counts(
    end: float, found: list[tuple[float, float]]
) -> None:
    assert list(uncovered([(2, 12), (20, end)], START, END, speech, is_cut_off=True)) == found


@pytest.mark.parametrize("told", [[], [(2.0, 2.0)]])
def test_without_any_text_there_is_nowhere_to_go_on(told: list[tuple[float, float]]) -> None:
    assert list(uncovered(told, START, END, speech, is_cut_off=False)) == []


def test_a_text_told_of_a_time_without_speech_is_that_of_another() -> None:
    assert list(uncovered([(13, 19), (20, 26)], START, END, speech, is_cut_off=False)) == []
    assert list(uncovered([(13, 19.6)], START, END, speech, is_cut_off=False)) != []


@pytest.mark.parametrize(
    ("found", "start", "left"),
    [
        # In the midst of speech a timestamp was too early.
        (["than anything else."], 4.0, []),
        (["Anything else!", "And more."], 4.0, ["And more."]),
        (["And more."], 4.0, ["And more."]),
        # In a pause it is said again.
        (["than anything else."], 8.0, ["than anything else."]),
    ],
)
def test_what_is_told_already_is_not_told_again(
    found: list[str], start: float, left: list[str]
) -> None:
    before = [segment(2, 3, "He likes it"), segment(3, 4, "better than anything else.")]
    segments = [segment(start, start + 1, text) for text in found]

    assert [each.text for each in without_repeated(segments, before, start, speech)] == left
