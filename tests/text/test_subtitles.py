"""Subtitles, exact to the byte."""

from __future__ import annotations

import pytest

from models.text.subtitles import srt, vtt
from models.text.transcript import Segment


def segment(start: float, end: float, text: str) -> Segment:
    return Segment(
        id=0,
        seek=0,
        start=start,
        end=end,
        text=text,
        tokens=(),
        temperature=0.0,
        avg_logprob=-0.2,
        compression_ratio=1.0,
        no_speech_prob=0.0,
    )


TWO = (segment(0.0, 6.0, " And so, my fellow Americans,"), segment(6.0, 3671.25, " ask not."))


def test_srt_two_segments() -> None:
    assert srt(TWO) == (
        "1\n00:00:00,000 --> 00:00:06,000\nAnd so, my fellow Americans,\n\n"
        "2\n00:00:06,000 --> 01:01:11,250\nask not.\n\n"
    )


def test_vtt_two_segments() -> None:
    assert vtt(TWO) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:06.000\nAnd so, my fellow Americans,\n\n"
        "00:00:06.000 --> 01:01:11.250\nask not.\n\n"
    )


def test_subtitles_no_segments() -> None:
    assert srt(()) == ""
    assert vtt(()) == "WEBVTT\n\n"


def test_subtitles_empty_segment_takes_no_number() -> None:
    segments = (segment(0, 1, " "), segment(1, 2, " one"), segment(2, 3, ""), segment(3, 4, "two"))
    assert srt(segments) == (
        "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n\n"
    )
    assert vtt(segments[:1]) == "WEBVTT\n\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [("a --> b", "a -> b"), ("a ---> b", "a -> b"), ("a -> b", "a -> b"), ("a -- b", "a -- b")],
)
def test_subtitles_arrow_in_text(text: str, written: str) -> None:
    assert srt([segment(0, 1, text)]) == f"1\n00:00:00,000 --> 00:00:01,000\n{written}\n\n"
    assert vtt([segment(0, 1, text)]).endswith(f"\n{written}\n\n")


def test_subtitles_line_breaks_in_text_stay_one_cue() -> None:
    assert (
        srt([segment(0, 1, " one\r\n\n two ")]) == "1\n00:00:00,000 --> 00:00:01,000\none two\n\n"
    )


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0004, "00:00:00.000"),
        (0.0006, "00:00:00.001"),
        (59.9996, "00:01:00.000"),
        (3599.9999, "01:00:00.000"),
        (360000.0, "100:00:00.000"),
    ],
)
def test_subtitles_time_is_rounded_to_milliseconds(seconds: float, written: str) -> None:
    assert f"--> {written}\n" in vtt([segment(0, seconds, "x")])
    assert f"--> {written.replace('.', ',')}\n" in srt([segment(0, seconds, "x")])
