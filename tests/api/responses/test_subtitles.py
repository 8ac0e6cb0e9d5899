"""Tests of the fields that say how subtitles are cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.options import TranscribeOptions
from models.subtitle_options import LEAD_IN
from models.text.transcript import Word
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, FakeTranscriber, client, segment

FILES = {"file": ("a.wav", b"audio")}
PATHS = [TRANSCRIPTIONS, TRANSLATIONS]
LINE_FIELDS = {"max_line_width": "20", "max_line_count": "1", "max_words_per_line": "4"}
FIELDS = {**LINE_FIELDS, "min_cue_duration": "0.5", "max_cue_duration": "3"}

WORDS = tuple(
    Word(text, start, start + 0.25, 0.5)
    for text, start in ((" The", 0.5), (" wind", 1.0), (" and", 1.5), (" sun.", 3.0))
)
SPOKEN = replace(segment(0, 0.0, 3.5, " The wind and sun."), words=WORDS)
NOT_AN_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
NOT_A_NUMBER = "Input should be a valid number, unable to parse string as a number"
THREE_AND_ONE = (
    "1\n00:00:00,500 --> 00:00:01,750\nThe wind and\n\n2\n00:00:03,000 --> 00:00:03,250\nsun.\n\n"
)


def subtitles_of(path: str, fake: FakeTranscriber, **fields: object) -> str:
    """The subtitles, in srt unless another format is given."""
    data = {"model": "base", "response_format": "srt", **fields}
    response = client(fake).post(path, data=data, files=FILES)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    return response.text


def error_of(path: str, **fields: str) -> dict[str, Any]:
    """The detail of a 400; nothing is transcribed."""
    fake = FakeTranscriber()
    response = client(fake).post(path, data={"model": "none", **fields}, files=FILES)
    assert response.status_code == 400
    assert fake.calls == []
    detail = response.json()["error"]
    assert isinstance(detail, dict)
    return detail


def test_subtitles_by_word_times() -> None:
    fake = FakeTranscriber((SPOKEN,))
    srt = subtitles_of(TRANSCRIPTIONS, fake, max_words_per_line="3", max_line_count="1")
    assert srt == THREE_AND_ONE
    wanted = TranscribeOptions(word_timestamps=True, lead_in=LEAD_IN)
    assert fake.calls == [(b"audio", wanted)]


def test_subtitles_of_a_translation_by_characters() -> None:
    fake = FakeTranscriber((segment(0, 0.0, 3.4, " The wind and sun."),))
    assert subtitles_of(TRANSLATIONS, fake, max_words_per_line="2", max_line_count="1") == (
        "1\n00:00:00,000 --> 00:00:01,600\nThe wind\n\n"
        "2\n00:00:01,800 --> 00:00:03,400\nand sun.\n\n"
    )
    assert fake.calls == [(b"audio", TranscribeOptions(task="translate"))]


def test_subtitles_vtt() -> None:
    fields = {"response_format": "vtt", "max_line_width": "9"}
    assert subtitles_of(TRANSCRIPTIONS, FakeTranscriber(), **fields) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:02.000\nThe naïve\nwind and\n\n"
        "00:00:02.000 --> 00:00:03.700\nthe sun.\n\n"
    )


@pytest.mark.parametrize("path", PATHS)
def test_subtitles_without_options_are_segments(path: str) -> None:
    fake = FakeTranscriber((SPOKEN,))
    assert subtitles_of(path, fake) == "1\n00:00:00,000 --> 00:00:03,500\nThe wind and sun.\n\n"
    assert not fake.calls[0][1].word_timestamps


@pytest.mark.parametrize(
    "fields",
    [
        {"max_words_per_line": " 3 ", "max_line_count": "1"},
        {"max_words_per_line[]": "3", "max_line_count[]": "1"},
        {"max_words_per_line": ["9", "3"], "max_line_count": ["1", ""]},
        {"max_words_per_line": "3", "max_line_count": "1", "max_line_width": ""},
        {"max_line_width": "16", "max_line_count": "1"},
        {"max_cue_duration": "2"},
        {"max_cue_duration": "2e0"},
        {"max_cue_duration": "2.25", "min_cue_duration": "0"},
    ],
)
def test_subtitle_fields(fields: dict[str, object]) -> None:
    assert subtitles_of(TRANSCRIPTIONS, FakeTranscriber((SPOKEN,)), **fields) == THREE_AND_ONE


def test_subtitle_held_for_the_shortest_time() -> None:
    held = subtitles_of(TRANSCRIPTIONS, FakeTranscriber((SPOKEN,)), min_cue_duration="2.9")
    assert held == "1\n00:00:00,500 --> 00:00:03,400\nThe wind and sun.\n\n"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("response_format", ["json", "text", "verbose_json", ""])
def test_subtitle_field_with_another_format(path: str, field: str, response_format: str) -> None:
    given = {field: FIELDS[field], "response_format": response_format}
    assert error_of(path, **given) == {
        "message": f"{field} needs response_format srt or vtt, not {response_format or 'json'}",
        "type": "invalid_request_error",
        "param": field,
        "code": "unsupported_value",
    }


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("max_line_width", "0", "max_line_width must lie in 1..1000, not 0."),
        ("max_line_count", "101", "max_line_count must lie in 1..100, not 101."),
        ("max_words_per_line", "-1", "max_words_per_line must lie in 1..1000, not -1."),
        ("min_cue_duration", "nan", "min_cue_duration must lie in 0..60, not nan."),
        ("max_cue_duration", "inf", "max_cue_duration must lie in 0.1..3600, not inf."),
        ("max_line_width", "wide", f"max_line_width='wide': {NOT_AN_INTEGER}"),
        ("max_line_count", "1.5", f"max_line_count='1.5': {NOT_AN_INTEGER}"),
        ("max_cue_duration", "0,5", f"max_cue_duration='0,5': {NOT_A_NUMBER}"),
    ],
)
def test_subtitle_field_invalid(path: str, field: str, value: str, message: str) -> None:
    assert error_of(path, response_format="srt", **{field: value}) == {
        "message": message,
        "type": "invalid_request_error",
        "param": field,
        "code": "invalid_value",
    }


def test_subtitle_shortest_above_longest() -> None:
    fields = {"min_cue_duration": "3", "max_cue_duration": "2"}
    detail = error_of(TRANSCRIPTIONS, response_format="vtt", **fields)
    assert (detail["param"], detail["code"]) == ("min_cue_duration", "invalid_value")


def test_subtitle_field_does_not_stream() -> None:
    fields = {"response_format": "srt", "stream": "true", **FIELDS}
    assert error_of(TRANSCRIPTIONS, **fields)["param"] == "response_format"
