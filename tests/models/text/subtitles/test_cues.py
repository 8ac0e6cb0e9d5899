"""Segments to cues, exact to the millisecond."""

from __future__ import annotations

from models.subtitle_options import SubtitleOptions
from models.text.transcript import Segment
from tests.models.text.spoken import even, made, segment, spoken

FELLOW = " And so, my fellow Americans, ask not what your country can do for you."


def test_cues_are_segments_in_one_line() -> None:
    assert made(segment(0.0, 6.0, FELLOW), segment(6.0, 11.25, " one\r\n\n two "), duration=11) == [
        (0, 6_000, FELLOW.strip()),
        (6_000, 11_000, "one two"),
    ]


def test_cues_of_segments_do_not_look_at_words() -> None:
    words = spoken((" a", 1.0, 1.5), (" b", 2.0, 2.5))
    [cue] = made(Segment(**{**vars(words), "start": 0.0, "end": 3.0}))
    assert cue == (0, 3_000, "a b")


def test_cues_without_text() -> None:
    silent = (segment(0, 1, " "), segment(1, 2, ""), segment(2, 3, "\u00a0\n"))
    assert made(*silent) == []
    assert made(*silent, options=SubtitleOptions(max_line_width=9, min_cue_duration=2)) == []


def test_cues_by_width() -> None:
    assert made(segment(0.0, 7.1, FELLOW), options=SubtitleOptions(max_line_width=24)) == [
        (0, 2_840, "And so, my|fellow Americans,"),
        (2_941, 7_100, "ask not what your|country can do for you."),
    ]


def test_cues_start_and_end_with_their_words() -> None:
    words = even("one two three four five six", start=1.0, pause=0.25)
    options = SubtitleOptions(max_line_width=9, max_line_count=1)
    assert made(words, options=options) == [
        (1_000, 2_250, "one two"),
        (2_500, 3_000, "three"),
        (3_250, 3_750, "four"),
        (4_000, 5_250, "five six"),
    ]


def test_cues_have_two_lines_unless_told() -> None:
    four = segment(0.0, 4.0, " aaaa bbbb cccc dddd")
    for count, texts in (
        (None, ["aaaa|bbbb", "cccc|dddd"]),
        (1, ["aaaa", "bbbb", "cccc", "dddd"]),
        (4, ["aaaa|bbbb|cccc|dddd"]),
    ):
        options = SubtitleOptions(max_line_width=4, max_line_count=count)
        assert [text for *_, text in made(four, options=options)] == texts


def test_cues_by_line_count_alone_are_one_line() -> None:
    options = SubtitleOptions(max_line_count=3)
    assert made(segment(0.0, 6.0, FELLOW), options=options) == [(0, 6_000, FELLOW.strip())]


def test_cues_end_with_sentences() -> None:
    text = " We left. The rain had stopped and it was getting late."
    options = SubtitleOptions(max_line_width=24)
    texts = [text for *_, text in made(segment(0.0, 6.0, text), options=options)]
    assert texts == ["We left.", "The rain had stopped|and it was getting late."]


def test_cues_of_overlapping_segments() -> None:
    overlapping = (segment(0.0, 5.0, " a b"), segment(4.0, 8.0, " c"), segment(9.0, 12.0, " d"))
    assert made(*overlapping, duration=8.0) == [
        (0, 4_000, "a b"),
        (4_000, 5_000, "c"),
        (5_000, 8_000, "d"),
    ]
    options = SubtitleOptions(max_words_per_line=1, max_line_count=1)
    assert made(*overlapping, options=options, duration=8.0) == [
        (0, 1_333, "a"),
        (2_666, 4_000, "b"),
        (4_000, 5_000, "c"),
        (5_000, 8_000, "d"),
    ]
