"""Groups of speech: what is never together, how long they are, and when they are settled."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audio.vad.speech_spans import Span
from models.audio.windows.grouping import Group, SpanGrouper
from models.units import SAMPLE_RATE

LONGEST = 30 * SAMPLE_RATE


def span(start: float, end: float) -> Span:
    """A span of these seconds."""
    return Span(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))


def grouped(*spans: Span) -> list[Group]:
    grouping = SpanGrouper(LONGEST)
    for each in spans:
        grouping.add(each)
    return grouping.finish()


@pytest.mark.parametrize(("pause", "groups"), [(7.99, 1), (8.0, 2), (9.0, 2)])
def test_eight_seconds_without_speech_part_what_is_around_them(pause: float, groups: int) -> None:
    assert len(grouped(span(0, 2), span(2 + pause, 4 + pause))) == groups


@pytest.mark.parametrize(("end", "groups"), [(30.0, 1), (30.01, 2)])
def test_group_is_as_long_as_it_may_be_and_no_longer(end: float, groups: int) -> None:
    assert len(grouped(span(0, 14), span(15, end))) == groups


def test_cut_is_at_the_clearest_pause() -> None:
    spans = [span(0, 10), span(10.9, 19), span(19.2, 28), span(28.2, 40)]

    assert grouped(*spans) == [tuple(spans[:1]), tuple(spans[1:])]


def test_pause_of_a_second_is_as_good_as_a_longer_one() -> None:
    # At the longest pause one group would fill its window, and the other next to nothing of it.
    spans = [span(0, 9), span(10, 19), span(20, 29), span(33, 42)]

    assert grouped(*spans) == [tuple(spans[:2]), tuple(spans[2:])]


def alike(count: int) -> list[Span]:
    """Pieces of 9 s with pauses of 1 s: many ways to cut them are equally good."""
    return [span(10 * number, 10 * number + 9) for number in range(count)]


@given(pieces=st.lists(st.tuples(st.floats(0.1, 29), st.floats(0.05, 12)), max_size=12))
def test_any_pieces_are_all_in_groups_in_their_order(pieces: list[tuple[float, float]]) -> None:
    spans, now = [], 0.0
    for length, pause in pieces:
        spans.append(span(now, now + length))
        now += length + pause
    groups = grouped(*spans)

    assert [each for group in groups for each in group] == spans
    for group in groups:
        assert group[-1].end - group[0].start <= LONGEST
        assert all(b.start - a.end < 8 * SAMPLE_RATE for a, b in pairwise(group))


@given(pieces=st.lists(st.tuples(st.floats(0.1, 29), st.floats(0.05, 12)), max_size=12))
def test_what_is_settled_on_the_way_is_what_all_together_gives(
    pieces: list[tuple[float, float]],
) -> None:
    spans, now = [], 0.0
    for length, pause in pieces:
        spans.append(span(now, now + length))
        now += length + pause
    grouping, settled = SpanGrouper(LONGEST), list[Group]()
    for each, following in pairwise([*spans, span(now, now)]):
        grouping.add(each)
        settled += grouping.settled(following.start)

    # Short of three minutes nothing is cut before it has to be.
    if now < 180:
        assert settled + grouping.finish() == grouped(*spans)


def test_undecided_for_three_minutes_is_cut_as_is_best_now() -> None:
    grouping = SpanGrouper(LONGEST)
    waited = 0.0
    for number, piece in enumerate(alike(60)):
        grouping.add(piece)
        known = round((10 * number + 9.5) * SAMPLE_RATE)
        grouping.settled(known)
        if grouping.pieces:
            waited = max(waited, (known - grouping.pieces[0].start) / SAMPLE_RATE)

    # Ten minutes otherwise.
    assert 170 < waited <= 180
