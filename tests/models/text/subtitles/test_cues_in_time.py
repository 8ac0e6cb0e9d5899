"""Cues that last no longer and no shorter than they should, exact to the millisecond."""

from __future__ import annotations

from models.subtitle_options import SubtitleOptions
from tests.models.text.spoken import even, made, segment, spoken


def test_cues_by_longest_time_split_at_the_longest_pause() -> None:
    words = spoken(
        (" a", 0.0, 0.5), (" b", 0.5, 1.0), (" c", 1.5, 2.0), (" d", 2.0, 2.5), (" e", 2.5, 3.0)
    )
    options = SubtitleOptions(max_cue_duration=2.5)
    assert made(words, options=options) == [(0, 1_000, "a b"), (1_500, 3_000, "c d e")]


def test_cues_by_longest_time_split_after_punctuation() -> None:
    options = SubtitleOptions(max_cue_duration=2.0)
    assert made(even("a, b c d e"), options=options) == [(0, 500, "a,"), (500, 2_500, "b c d e")]


def test_cue_of_a_long_word_is_cut_short() -> None:
    words = spoken((" ohm", 0.0, 9.0), (" yes", 9.0, 9.5))
    options = SubtitleOptions(max_cue_duration=3.0)
    assert made(words, options=options) == [(0, 3_000, "ohm"), (9_000, 9_500, "yes")]


def test_short_cue_is_held_into_the_pause() -> None:
    options = SubtitleOptions(min_cue_duration=2.0)
    short = (even("Yes."), even("No.", start=3.0), even("Why?", start=10.0))
    assert made(*short, options=options, duration=11.5) == [
        (0, 2_000, "Yes."),
        (3_000, 5_000, "No."),
        (10_000, 11_500, "Why?"),
    ]


def test_short_cue_without_a_pause_is_joined() -> None:
    options = SubtitleOptions(max_line_width=20, max_line_count=1, min_cue_duration=1.0)
    assert made(even("Yes."), even("I do.", start=0.5), options=options) == [
        (0, 1_500, "Yes. I do.")
    ]


def test_short_cue_is_joined_where_no_sentence_ends() -> None:
    segments = (even("It is a long way"), even("home.", start=2.5), even("Let us go now.", start=3))
    options = SubtitleOptions(min_cue_duration=1.0)
    assert made(*segments, options=options) == [
        (0, 3_000, "It is a long way home."),
        (3_000, 5_000, "Let us go now."),
    ]


def test_short_cue_is_not_joined_over_a_pause() -> None:
    options = SubtitleOptions(min_cue_duration=1.0)
    assert made(even("a b c"), even("d.", start=30.0), options=options, duration=30.5) == [
        (0, 1_500, "a b c"),
        (30_000, 30_500, "d."),
    ]


def test_short_cue_that_fits_nowhere_stays_short() -> None:
    segments = (even("aaaa bbbb"), even("cc", start=1.0), even("dddd eeee", start=1.5))
    wide = SubtitleOptions(max_line_width=9, max_line_count=1, min_cue_duration=1.0)
    long = SubtitleOptions(min_cue_duration=0.9, max_cue_duration=1.25)
    for options in (wide, long):
        assert made(*segments, options=options) == [
            (0, 1_000, "aaaa bbbb"),
            (1_000, 1_500, "cc"),
            (1_500, 2_500, "dddd eeee"),
        ]


def test_short_cues_of_chinese_are_joined_without_a_space() -> None:
    options = SubtitleOptions(min_cue_duration=1.0)
    assert made(segment(0, 0.5, "好的。"), segment(0.5, 1, "「走」吧。"), options=options) == [
        (0, 1_000, "好的。「走」吧。")
    ]


def test_short_cues_one_after_the_other_are_joined_in_pairs() -> None:
    sentences = [even("a b c.", start=1.5 * n) for n in range(40)]
    options = SubtitleOptions(min_cue_duration=2.0)
    assert made(*sentences, options=options) == [
        (3_000 * n, 3_000 * (n + 1), "a b c. a b c.") for n in range(20)
    ]
