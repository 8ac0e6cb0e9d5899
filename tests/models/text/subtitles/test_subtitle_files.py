"""Subtitles, exact to the byte."""

from __future__ import annotations

import pytest

from models.text.subtitles.cue import Cue
from models.text.subtitles.cue_times import CueTimes
from models.text.subtitles.subtitle_files import srt, vtt


def cue(start: int, end: int, *lines: str) -> Cue:
    return Cue(CueTimes(start, end), lines)


TWO = (
    cue(0, 6_000, "And so, my fellow Americans,"),
    cue(6_000, 3_671_250, "ask not", "what your country can do."),
)


def test_srt_two_cues() -> None:
    assert srt(TWO) == (
        "1\n00:00:00,000 --> 00:00:06,000\nAnd so, my fellow Americans,\n\n"
        "2\n00:00:06,000 --> 01:01:11,250\nask not\nwhat your country can do.\n\n"
    )


def test_vtt_two_cues() -> None:
    assert vtt(TWO) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:06.000\nAnd so, my fellow Americans,\n\n"
        "00:00:06.000 --> 01:01:11.250\nask not\nwhat your country can do.\n\n"
    )


def test_subtitles_no_cues() -> None:
    assert srt(()) == ""
    assert vtt(()) == "WEBVTT\n\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [("a --> b", "a -> b"), ("a ---> b", "a -> b"), ("a -> b", "a -> b"), ("a -- b", "a -- b")],
)
def test_subtitles_arrow_in_text(text: str, written: str) -> None:
    assert srt([cue(0, 1_000, text)]) == f"1\n00:00:00,000 --> 00:00:01,000\n{written}\n\n"
    assert vtt([cue(0, 1_000, text)]).endswith(f"\n{written}\n\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("AT&T & Q&A", "AT&T & Q&A"),
        ("a < b > c", "a &lt; b > c"),
        ("<b>", "&lt;b>"),
        ("&lt; is &", "&amp;lt; is &amp;"),
        ("&copy that", "&amp;copy that"),
        ("&<", "&&lt;"),
    ],
)
def test_vtt_escapes_what_would_not_be_shown(text: str, written: str) -> None:
    assert vtt([cue(0, 1_000, text)]).endswith(f"\n{written}\n\n")
    assert srt([cue(0, 1_000, text)]).endswith(f"\n{text}\n\n")


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(1, "00:00:00.001"), (60_000, "00:01:00.000"), (360_000_000, "100:00:00.000")],
)
def test_subtitles_time(milliseconds: int, written: str) -> None:
    assert f"--> {written}\n" in vtt([cue(0, milliseconds, "x")])
    assert f"--> {written.replace('.', ',')}\n" in srt([cue(0, milliseconds, "x")])
