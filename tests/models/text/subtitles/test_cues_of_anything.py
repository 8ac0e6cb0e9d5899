"""Properties of the cues of any segments, with any options."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.subtitle_options import SubtitleOptions
from models.text.subtitles.cue import Cue
from models.text.subtitles.cue_times import CueTimes
from models.text.subtitles.cues import cues
from models.text.subtitles.line_units import units, width
from models.text.transcript import Segment
from tests.models.text.spoken import segment
from tests.models.text.strategies import DURATIONS, OPTIONS, SEGMENTS, without_spaces


def check_times(made: list[Cue], segments: list[Segment], duration: float) -> None:
    """In order, disjoint, a millisecond or longer, and within the recording if it has room."""
    minimum = sum(len(without_spaces(segment.text)) for segment in segments)
    assert all(cue.times.start < cue.times.end for cue in made)
    assert all(a.times.end <= b.times.start for a, b in pairwise(made))
    if made:
        assert made[0].times.start >= 0
        assert made[-1].times.end <= max(duration * 1000 + 1e-3, minimum)


def check_texts(made: list[Cue], segments: list[Segment]) -> None:
    """No line is blank, and together they say what the segments say."""
    lines = [line for cue in made for line in cue.lines]
    assert all(line.strip() == line != "" for line in lines)
    assert all(len(line.splitlines()) == 1 for line in lines)
    said = "".join(segment.text for segment in segments)
    assert without_spaces("".join(lines)) == without_spaces(said)


@given(SEGMENTS, DURATIONS)
def test_cues_as_segments(segments: list[Segment], duration: float) -> None:
    made = cues(segments, duration)
    check_times(made, segments, duration)
    check_texts(made, segments)
    spoken = [each.text for each in segments if each.text.strip()]
    assert [without_spaces(cue.lines[0]) for cue in made] == list(map(without_spaces, spoken))
    assert all(len(cue.lines) == 1 for cue in made)


@given(SEGMENTS, DURATIONS, OPTIONS)
def test_cues_within_limits(
    segments: list[Segment], duration: float, options: SubtitleOptions
) -> None:
    made = cues(segments, duration, options)
    check_times(made, segments, duration)
    check_texts(made, segments)
    assert all(len(cue.lines) <= (options.max_line_count or 2) for cue in made)
    for line in (line for cue in made for line in cue.lines):
        words = len(units(segment(0, 1, line), CueTimes(0, 1_000)))
        assert words <= (options.max_words_per_line or words)
        assert words == 1 or width(line) <= (options.max_line_width or width(line))


@given(SEGMENTS, DURATIONS, OPTIONS)
def test_cues_last_as_long_as_they_may(
    segments: list[Segment], duration: float, options: SubtitleOptions
) -> None:
    made = cues(segments, duration, options)
    longest, shortest = options.max_cue_duration or math.inf, options.min_cue_duration or 0.0
    assert all(cue.times.end - cue.times.start <= longest * 1000 + 1e-3 for cue in made)
    ends = [cue.times.start for cue in made[1:]] + [int(duration * 1000)]
    for cue, end in zip(made, ends, strict=False):
        assert cue.times.end >= min(cue.times.start + int(shortest * 1000), end)


@given(
    st.lists(st.text("abc.,'", min_size=1, max_size=9), min_size=1, max_size=40),
    st.integers(1, 20),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_cues_of_plain_words(words: list[str], widest: int, max_words: int, maximum: int) -> None:
    options = SubtitleOptions(
        max_line_width=widest, max_words_per_line=max_words, max_line_count=maximum
    )
    made = cues([segment(0, 30, "".join(f" {word}" for word in words))], 30.0, options)
    lines = [line for cue in made for line in cue.lines]
    assert " ".join(lines).split(" ") == words
    assert all(len(line) <= widest or " " not in line for line in lines)
    assert all(line.count(" ") < max_words for line in lines)
    assert all(len(cue.lines) <= maximum for cue in made)
