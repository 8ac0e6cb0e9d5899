"""`channel` and `audio_track`, from the form to what reads the file; `x-audio-track` back."""

from __future__ import annotations

import pytest

from models.audio_options import AudioTrack, ReadOptions
from models.errors import OptionError
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, FailingTranscriber, FakeTranscriber, client

FILE = {"file": ("a.mkv", b"audio")}
DETECTION = "/v1/audio/detect-language"
PATHS = [TRANSCRIPTIONS, TRANSLATIONS, DETECTION]


def reading_of(path: str, fields: dict[str, str]) -> ReadOptions:
    """What the transcriber is asked to read."""
    fake = FakeTranscriber()
    answer = client(fake).post(path, data={"model": "base", **fields}, files=FILE)
    assert answer.status_code == 200, answer.text
    return fake.readings[0] if path == DETECTION else fake.calls[0][1].reading


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ReadOptions()),
        ({"channel": "mix"}, ReadOptions()),
        ({"channel": "MIX", "audio_track": ""}, ReadOptions()),
        ({"channel": "0"}, ReadOptions(channel=0)),
        ({"channel": "63", "audio_track": "0"}, ReadOptions(63, 0)),
        ({"audio_track": "12"}, ReadOptions(audio_track=12)),
        ({"audio_track": "en"}, ReadOptions(audio_track="en")),
        ({"audio_track": "zh-Hans"}, ReadOptions(audio_track="zh-Hans")),
        ({"audio_track": "pt_BR"}, ReadOptions(audio_track="pt_BR")),
    ],
)
def test_reading(path: str, fields: dict[str, str], expected: ReadOptions) -> None:
    assert reading_of(path, fields) == expected


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("channel", "each", "unsupported_value"),
        ("channel", "left", "invalid_value"),
        ("channel", "-1", "invalid_value"),
        ("channel", "1.5", "invalid_value"),
        ("channel", "64", "invalid_value"),
        ("channel", "9" * 30, "invalid_value"),
        ("channel", "{x}", "invalid_value"),
        ("audio_track", "-1", "invalid_value"),
        ("audio_track", "1000", "invalid_value"),
        ("audio_track", "english", "invalid_value"),
        ("audio_track", "²", "invalid_value"),
        ("audio_track", "en;drop", "invalid_value"),
        ("audio_track", "en" * 200, "invalid_value"),
    ],
)
def test_value_that_cannot_be_served(path: str, name: str, value: str, code: str) -> None:
    answer = client().post(path, data={"model": "base", name: value}, files=FILE)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, name, code)


def test_track_that_the_file_has_not() -> None:
    failing = FailingTranscriber(OptionError("audio_track", "The file has no such audio track."))
    data = {"model": "base", "audio_track": "7"}
    answer = client(failing).post(TRANSCRIPTIONS, data=data, files=FILE)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "audio_track"
    assert "x-audio-track" not in answer.headers


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json"])
def test_header_of_every_format(form: str) -> None:
    data = {"model": "base", "response_format": form}
    answer = client(FakeTranscriber()).post(TRANSCRIPTIONS, data=data, files=FILE)
    assert answer.headers["x-audio-track"] == '1;of=2;language="eng"'


def test_header_of_a_stream_and_of_a_detection() -> None:
    data = {"model": "base", "stream": "true"}
    single = FakeTranscriber(track=AudioTrack(0, 1))
    answer = client(single).post(TRANSCRIPTIONS, data=data, files=FILE)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-audio-track"] == "0;of=1"
    answer = client(single).post(DETECTION, data={"model": "base"}, files=FILE)
    assert answer.headers["x-audio-track"] == "0;of=1"


def test_no_header_where_no_file_was_read() -> None:
    assert "x-audio-track" not in client().get("/v1/models").headers
