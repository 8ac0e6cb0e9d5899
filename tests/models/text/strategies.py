"""Segments as nobody would speak them, for property tests."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from models.subtitle_options import AS_SEGMENTS, SubtitleOptions
from models.text.subtitles.cues import cues
from models.text.transcript import Segment, Word
from tests.models.text.spoken import segment

SECONDS = st.one_of(
    st.integers(-2, 14).map(float), st.floats(-1.0, 14.0), st.floats(-100.0, 1e6), st.just(0.0)
)
LATIN = (" ask", " not,", " it.", " 42", "-year", " <i>", " &lt", "&", ";", "--", ">", "e\u0301")
ASIAN = ("私", "は", "「", "」", "。", "コー", "เก", "า", "안녕")
ODD = ("👍🏽", " ", "\n", "\u00a0", "\u200b")
PARTS = st.sampled_from(LATIN + ASIAN + ODD)
TEXTS = st.one_of(st.lists(PARTS, max_size=30).map("".join), st.text(max_size=20))
OPTIONS = st.builds(
    SubtitleOptions,
    max_line_width=st.none() | st.integers(1, 30),
    max_line_count=st.none() | st.integers(1, 4),
    max_words_per_line=st.none() | st.integers(1, 8),
    min_cue_duration=st.none() | st.floats(0.0, 2.0),
    max_cue_duration=st.none() | st.floats(2.0, 8.0),
).filter(lambda options: options != AS_SEGMENTS)
DURATIONS = st.one_of(st.integers(0, 12).map(float), st.floats(0.0, 20.0))


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    """A segment of any text and times, with or without words."""
    words = draw(st.lists(st.builds(Word, TEXTS, SECONDS, SECONDS, st.just(0.5)), max_size=8))
    text = "".join(word.text for word in words) if words else draw(TEXTS)
    return replace(segment(draw(SECONDS), draw(SECONDS), text), words=tuple(words))


SEGMENTS = st.lists(segments(), max_size=8)
CUES = st.builds(cues, SEGMENTS, DURATIONS, OPTIONS)


def without_spaces(text: str) -> str:
    """What of a text must not be lost."""
    return "".join(text.split())
