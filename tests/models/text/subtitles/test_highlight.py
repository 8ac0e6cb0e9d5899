"""Highlighted words: byte for byte as openai-whisper writes them, and in any lines."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from whisper.utils import WriteSRT, WriteVTT

from models.subtitle_options import SubtitleOptions
from models.text.subtitles.cues import cues
from models.text.subtitles.subtitle_files import srt, vtt
from models.text.transcript import Segment
from tests.models.text.spoken import segment, spoken
from tests.models.text.strategies import DURATIONS, OPTIONS, SEGMENTS

HIGHLIGHT = SubtitleOptions(highlight_words=True)
SAID = (
    spoken((" And", 0.0, 0.3), (" so,", 0.3, 0.62), (" my", 1.0, 1.2), (" friends", 1.2, 1.9)),
    spoken((" It's", 3.1, 3.4), (" half-done", 3.5, 4.25), (" -", 4.25, 4.3), (" now.", 4.3, 5.0)),
)


def whisper_srt_and_vtt(segments: Sequence[Segment]) -> tuple[str, str]:
    """What openai-whisper writes of these segments."""
    result = {
        "segments": [
            {
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "words": [
                    {"word": word.text, "start": word.start, "end": word.end} for word in each.words
                ],
            }
            for each in segments
        ]
    }
    written = []
    for writer in (WriteSRT(""), WriteVTT("")):
        writer.write_result(result, file := io.StringIO(), {}, highlight_words=True)
        written.append(file.getvalue())
    return written[0], written[1]


def test_same_bytes_as_openai_whisper() -> None:
    found = cues(SAID, 60.0, HIGHLIGHT)
    assert (srt(found), vtt(found, hours=False)) == whisper_srt_and_vtt(SAID)
    assert "And so, <u>my</u> friends" in srt(found)


def test_in_two_lines() -> None:
    options = SubtitleOptions(max_line_width=8, max_line_count=2, highlight_words=True)
    found = srt(cues(SAID[:1], 60.0, options))
    texts = [block.split("\n", 2)[2] for block in found.strip().split("\n\n")]
    assert texts == [
        *("<u>And</u> so,", "And <u>so,</u>"),
        *("<u>my</u>\nfriends", "my\n<u>friends</u>"),
    ]


def test_what_is_no_tag_stays_text() -> None:
    found = cues([spoken((" a<b", 0.0, 1.0), (" -->", 1.0, 2.0))], 60.0, HIGHLIGHT)
    assert [block.split("\n")[1] for block in vtt(found).split("\n\n")[1:-1]] == [
        "<u>a&lt;b</u> ->",
        "a&lt;b <u>-></u>",
    ]
    assert srt(found).count("<u>->") == 1


def test_a_word_without_time_is_not_underlined() -> None:
    found = cues([spoken((" a", 0.0, 1.0), (" b", 1.0, 1.0), (" c", 1.0, 2.0))], 60.0, HIGHLIGHT)
    assert [(each.times.start, each.times.end) for each in found] == [(0, 1000), (1000, 2000)]


def test_the_rest_of_a_cue_is_shown_without_an_underline() -> None:
    options = SubtitleOptions(min_cue_duration=3.0, highlight_words=True)
    *_, last = cues([spoken((" a", 0.0, 1.0))], 60.0, options)
    assert (last.times.start, last.times.end, last.underline) == (1000, 3000, None)


@pytest.mark.parametrize("texts", [(), (" ",)])
def test_nothing_said(texts: tuple[str, ...]) -> None:
    assert cues([segment(0, 1, text) for text in texts], 60.0, HIGHLIGHT) == []


@given(SEGMENTS, DURATIONS, OPTIONS)
def test_parts_of_a_cue_are_in_its_time_and_have_its_text(
    segments: list[Segment], duration: float, options: SubtitleOptions
) -> None:
    whole = cues(segments, duration, SubtitleOptions(**{**vars(options), "min_cue_duration": 0.1}))
    limits = {**vars(options), "min_cue_duration": 0.1, "highlight_words": True}
    parts = cues(segments, duration, SubtitleOptions(**limits))
    at = 0
    for cue in whole:
        first = at
        while at < len(parts) and parts[at].times.end <= cue.times.end:
            assert parts[at].lines == cue.lines
            under = parts[at].underline
            assert under is None or cue.lines[under.line][under.start : under.end].strip()
            at += 1
        mine = parts[first:at]
        assert [each.times.start for each in mine] == [
            cue.times.start,
            *(each.times.end for each in mine[:-1]),
        ]
        assert mine[-1].times.end == cue.times.end
    assert at == len(parts)
