"""Word times moved to where words are heard: order, pauses, letters, bounds."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.transcript import Segment, Word
from models.text.word_boundaries import WindowBounds, moved
from tests.models.text.spoken import segment

LEAD = 0.06


def spoken(*words: tuple[str, float, float]) -> Segment:
    timed = tuple(Word(text, start, end, 0.5) for text, start, end in words)
    text = "".join(word.text for word in timed)
    found = segment(timed[0].start, timed[-1].end, text)
    return Segment(**{**vars(found), "words": timed})


def times(segments: list[Segment]) -> list[tuple[float, float]]:
    return [(word.start, word.end) for each in segments for word in each.words]


def move(
    *words: tuple[str, float, float], bounds: WindowBounds, lead: float = LEAD, lead_in: float = 0.0
) -> list[tuple[float, float]]:
    return times(moved([spoken(*words)], bounds, lead, lead_in))


def test_words_are_later_by_the_lead() -> None:
    found = move((" one", 1.0, 1.3), (" two", 1.3, 1.6), bounds=WindowBounds(0.0, 5.0, []))
    assert found == [(1.06, 1.36), (1.36, 1.66)]


@pytest.mark.parametrize(
    ("pause", "first", "second"),
    [
        ((1.2, 1.9), (0.56, 1.2), (1.9, 2.26)),  # the attention went on in the middle of it
        ((1.36, 1.9), (0.56, 1.36), (1.9, 2.26)),  # as it began
        ((1.5, 1.9), (0.56, 1.5), (1.9, 2.26)),  # before it began
        ((1.15, 1.25), (0.56, 1.15), (1.25, 2.26)),  # when it was over
    ],
)
def test_pause_between_words_is_in_neither(
    pause: tuple[float, float], first: tuple[float, float], second: tuple[float, float]
) -> None:
    words = (" one", 0.5, 1.3), (" two", 1.3, 2.2)
    assert move(*words, bounds=WindowBounds(0.0, 5.0, [pause])) == [first, second]


def test_pauses_before_and_after_all_words_are_in_none() -> None:
    bounds = WindowBounds(0.0, 5.0, [(0.0, 0.4), (1.5, 5.0)])
    assert move((" one", 0.0, 0.89), (" two", 0.89, 1.4), bounds=bounds) == [
        (0.4, 0.95),
        (0.95, 1.5),
    ]


def test_pause_far_from_any_boundary_is_a_part_of_the_word() -> None:
    bounds = WindowBounds(0.0, 9.0, [(2.0, 2.2)])
    assert move((" loooong", 1.0, 3.0), bounds=bounds) == [(1.06, 3.06)]


def test_pause_in_which_a_word_was_understood_takes_nothing_from_it() -> None:
    """Speech may be so soft that it passes for silence; the decoder has read it."""
    words = (" a", 1.0, 1.4), (" b", 1.4, 1.7), (" c", 1.7, 2.2)
    found = move(*words, bounds=WindowBounds(0.0, 5.0, [(1.35, 1.9)]))
    assert all(end - start >= 0.02 for start, end in found)


def test_longest_of_two_pauses_at_a_boundary_counts() -> None:
    bounds = WindowBounds(0.0, 5.0, [(1.3, 1.4), (1.45, 1.9)])
    assert move((" a", 1.0, 1.36), (" b", 1.36, 2.3), bounds=bounds) == [(1.06, 1.45), (1.9, 2.36)]


@pytest.mark.parametrize(
    ("words", "boundary"),
    [
        (((" bicycle", 1.0, 1.4), (" and", 1.4, 1.8)), 1.524),  # a long word loses its end
        (((" and", 1.0, 1.4), (" bicycle", 1.4, 1.8)), 1.396),
        (((" ab", 1.0, 1.4), (" cd", 1.4, 1.8)), 1.46),
        (((" ...", 1.0, 1.4), (" x", 1.4, 1.8)), 1.46),  # a word without letters has one
        (((" internationally", 1.0, 1.2), (" a", 1.2, 3.0)), 1.41),  # by 0.15 s at most
    ],
)
def test_letters_move_the_boundary_between_two_words(
    words: tuple[tuple[str, float, float], ...], boundary: float
) -> None:
    (_, end), (start, _) = move(*words, bounds=WindowBounds(0.0, 5.0, []))
    assert start == end == pytest.approx(boundary, abs=0.0051)


def test_words_are_earlier_where_the_attention_is_late() -> None:
    words = (" one", 0.05, 1.3), (" two", 1.3, 1.6)
    assert move(*words, bounds=WindowBounds(0.0, 5.0, []), lead=-0.1) == [(0.0, 1.05), (1.05, 1.5)]


def test_letters_do_not_count_across_a_gap() -> None:
    found = move((" bicycle", 1.0, 1.2), (" a", 1.6, 1.8), bounds=WindowBounds(0.0, 5.0, []))
    assert found == [(1.06, 1.26), (1.66, 1.86)]


def test_words_stay_within_the_window() -> None:
    words = (" one", 9.0, 9.97), (" two", 9.97, 10.0)
    assert move(*words, bounds=WindowBounds(9.0, 10.0, []))[-1][1] == 10.0


def test_lead_in_ends_where_the_word_before_has() -> None:
    words = (" one", 1.0, 1.3), (" two", 1.3, 1.6), (" six", 2.0, 2.3)
    found = move(*words, bounds=WindowBounds(1.0, 5.0, []), lead_in=0.08)
    assert found == [(1.0, 1.36), (1.36, 1.66), (1.98, 2.36)]


def test_segments_last_as_their_words() -> None:
    one, none, two = spoken((" one", 1.0, 1.3)), segment(1.3, 1.5, ""), spoken((" two", 1.3, 1.6))
    first, empty, second = moved([one, none, two], WindowBounds(0.0, 5.0, [(1.3, 1.5)]), LEAD)
    assert (first.start, first.end) == (1.06, 1.3)
    assert empty == none
    assert (second.start, second.end) == (1.5, 1.66)
    assert (second.text, second.words[0].text) == (" two", " two")


def test_segments_without_words_stay() -> None:
    assert moved([segment(1.0, 2.0, " x")], WindowBounds(0.0, 5.0, []), LEAD) == [
        segment(1.0, 2.0, " x")
    ]


steps = st.integers(0, 60).map(lambda number: number / 50)


@st.composite
def windows(draw: st.DrawFn) -> tuple[list[Segment], WindowBounds]:
    """Words in order in some segments, and pauses in order, in a window that may end early."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    start = draw(st.integers(0, 4000)) / 10
    marks = list(
        accumulate(draw(st.lists(steps, min_size=2 * sum(sizes), max_size=2 * sum(sizes))))
    )
    spans = list(zip(marks[::2], marks[1::2], strict=True))
    texts = draw(st.lists(st.sampled_from([" a", " word", " internationally", " 。", "字"]),
                          min_size=len(spans), max_size=len(spans)))  # fmt: skip
    words = iter([(t, start + a, start + b) for t, (a, b) in zip(texts, spans, strict=True)])
    segments = [spoken(*(next(words) for _ in range(size))) for size in sizes]
    edges = list(accumulate(draw(st.lists(st.integers(10, 200), max_size=12))))
    pauses = [(start + a / 100, start + b / 100) for a, b in list(pairwise(edges))[::2]]
    return segments, WindowBounds(start, start + draw(st.floats(0.0, 40.0)), pauses)


@given(windows(), st.floats(-0.2, 0.2), st.sampled_from([0.0, 0.08]))
def test_words_are_in_order_apart_and_within(
    window: tuple[list[Segment], WindowBounds], lead: float, lead_in: float
) -> None:
    segments, bounds = window
    found = moved(segments, bounds, lead, lead_in)

    edges = [time for span in times(found) for time in span]
    assert edges == sorted(edges)
    assert bounds.start <= edges[0]
    assert edges[-1] <= bounds.end
    assert [w.text for s in found for w in s.words] == [w.text for s in segments for w in s.words]
    assert all((s.start, s.end) == (s.words[0].start, s.words[-1].end) for s in found)


@given(windows())
def test_words_move_no_farther_than_lead_letters_and_pauses_say(
    window: tuple[list[Segment], WindowBounds],
) -> None:
    segments, bounds = window
    without = WindowBounds(bounds.start, bounds.start + 1000.0, [])
    for old, new in zip(times(segments), times(moved(segments, without, LEAD)), strict=True):
        for before, after in zip(old, new, strict=True):
            assert abs(after - before) <= LEAD + 0.15 + 0.011  # rounded twice
