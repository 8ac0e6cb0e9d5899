"""Other programs read from our subtitles what was in the cues."""

from __future__ import annotations

import html
import re

import pysubs2
import srt as srt_package
import webvtt
from hypothesis import given

from models.text.subtitles.cue import Cue
from models.text.subtitles.subtitle_files import srt, vtt
from tests.models.text.strategies import CUES

Read = list[tuple[int, int, str]]


def written(made: list[Cue]) -> Read:
    """Start, end and text of the cues, arrows as they are written."""
    return [
        (cue.times.start, cue.times.end, re.sub("--+>", "->", "\n".join(cue.lines))) for cue in made
    ]


def read_by_pysubs2(text: str, kind: str) -> Read:
    file = pysubs2.SSAFile.from_string(text, format_=kind, keep_html_tags=True)
    return [(event.start, event.end, event.text.replace("\\N", "\n")) for event in file]


def as_pysubs2_reads(cue: tuple[int, int, str]) -> tuple[int, int, str]:
    """It takes a last line of digits for the next cue's number, and `\\N` for a line break."""
    start, end, text = cue
    return start, end, re.sub(r"\n+ *\d+ *$", "", text).replace("\\N", "\n")


@given(CUES)
def test_srt_read_by_srt(made: list[Cue]) -> None:
    read = list(srt_package.parse(srt(made)))
    assert [subtitle.index for subtitle in read] == list(range(1, len(made) + 1))
    ms = [(each.start.total_seconds() * 1000, each.end.total_seconds() * 1000) for each in read]
    assert [
        (round(start), round(end), each.content)
        for (start, end), each in zip(ms, read, strict=True)
    ] == written(made)


@given(CUES)
def test_srt_read_by_pysubs2(made: list[Cue]) -> None:
    expected = list(map(as_pysubs2_reads, written(made)))
    assert list(map(as_pysubs2_reads, read_by_pysubs2(srt(made), "srt"))) == expected


@given(CUES)
def test_vtt_read_by_pysubs2(made: list[Cue]) -> None:
    read = read_by_pysubs2(vtt(made), "vtt")
    shown = [(start, end, html.unescape(text)) for start, end, text in read]
    assert shown == list(map(as_pysubs2_reads, written(made)))


@given(CUES)
def test_vtt_read_by_webvtt(made: list[Cue]) -> None:
    read = webvtt.from_string(vtt(made), strict=True).captions
    assert [
        (
            each.start_time.in_milliseconds(),
            each.end_time.in_milliseconds(),
            html.unescape(each.text),
        )
        for each in read
    ] == written(made)
