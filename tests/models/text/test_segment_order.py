"""Segments found apart, in order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.text.segment_order import Sequencer, by_time, ended_by
from models.text.transcript import Segment, Word
from tests.models.text.spoken import spoken


def times(*segments: Segment) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for each in segments for word in each.words]


def test_last_word_ends_where_a_segment_found_in_it_begins() -> None:
    drawled = spoken((" a", 17.0, 17.1), (" tende", 17.1, 18.5))
    inside = spoken((" one", 17.4, 17.9), (" two", 17.9, 19.0))

    ordered = by_time([inside, drawled])

    assert times(*ordered) == [
        (" a", 17.0, 17.1),
        (" tende", 17.1, 17.4),
        (" one", 17.4, 17.9),
        (" two", 17.9, 19.0),
    ]
    assert [(each.start, each.end) for each in ordered] == [(17.0, 17.4), (17.4, 19.0)]


def test_last_word_is_cut_only_at_a_moment_that_comes_in_it() -> None:
    said = spoken((" so", 17.0, 17.5), (" last", 18.0, 18.5))

    assert times(ended_by(said, 18.2)) == [(" so", 17.0, 17.5), (" last", 18.0, 18.2)]
    for moment in (17.2, 18.5, 30.0):
        assert ended_by(said, moment) == said


def test_words_begin_when_those_of_the_window_before_have_ended() -> None:
    sequencer = Sequencer()
    first = sequencer.put(spoken((" between", 223.0, 223.58)))
    second = sequencer.put(spoken((" Gothic", 223.5, 224.0), (" art", 224.0, 224.4)))

    assert times(first) == [(" between", 223.0, 223.58)]
    assert times(second) == [(" Gothic", 223.58, 224.0), (" art", 224.0, 224.4)]
    assert (first.id, second.id, second.start) == (0, 1, 223.58)


moments = st.lists(st.integers(0, 60), min_size=2, max_size=8).map(sorted)


@given(st.lists(moments, max_size=6))
def test_words_of_anything_are_in_order_and_those_that_are_stay_as_they_are(
    found: list[list[int]],
) -> None:
    segments = [
        spoken(*((f" {n}", float(a), float(b)) for n, (a, b) in enumerate(pairwise(each))))
        for each in found
    ]
    sequencer = Sequencer()

    put = [sequencer.put(segment) for segment in by_time(segments)]

    assert [segment.id for segment in put] == list(range(len(found)))
    words: list[Word] = [word for segment in put for word in segment.words]
    assert all(a.start <= a.end <= b.start <= b.end for a, b in pairwise(words))
    again = Sequencer()
    assert [again.put(segment) for segment in by_time(put)] == put
