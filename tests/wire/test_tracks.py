"""Which sound of a file is heard, at which times, and what the answer tells of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from models.audio.load.load_audio import load
from tests.models.audio.load.test_load_audio import wav
from tests.server import Server
from tests.speech_clips import OWN_SPEECH
from tests.wire.http import CLIP, TEXT, error_of, post
from tests.wire.promises import promises

FILES = OWN_SPEECH / "clips" / "timed"
LATE, HOLE, TWO = FILES / "delay5.mkv", FILES / "gap.mkv", FILES / "default2.mkv"
FORMATS = ["json", "text", "srt", "vtt", "verbose_json"]


@promises("Requests", "`file`: broadcasters' MXF", "extension")
def test_file_of_a_broadcaster(server: Server) -> None:
    assert "and so" in post(server, file=FILES / "broadcast.mxf").json()["text"].lower()


@promises(
    "Requests",
    "`file` with several audio tracks: the default one, as a player takes it",
    "extension",
    "what hosted does is not documented",
)
def test_default_track(server: Server) -> None:
    assert "fellow Americans" in post(server, file=TWO).json()["text"]


@promises("Requests", "`audio_track`: an index from 0, or a language code", "extension")
@pytest.mark.parametrize(
    ("wanted", "said", "header"),
    [
        ("0", "Weißenburg", '0;of=2;language="ger"'),
        ("de", "Weißenburg", '0;of=2;language="ger"'),
        ("1", "fellow", '1;of=2;language="eng"'),
        ("en", "fellow", '1;of=2;language="eng"'),
    ],
)
def test_audio_track(server: Server, wanted: str, said: str, header: str) -> None:
    answer = post(server, {"audio_track": wanted}, file=TWO)

    assert said in answer.json()["text"]
    assert answer.headers["x-audio-track"] == header


@promises("Requests", "`channel`: one channel alone, counted from 0, or `mix`", "extension")
@pytest.mark.parametrize(("channel", "said"), [("0", TEXT), ("mix", TEXT), ("1", "")])
def test_channel(server: Server, tmp_path: Path, channel: str, said: str) -> None:
    mono = (load(CLIP)[:, None] * 32767).astype(np.int16)
    path = tmp_path / "left.wav"
    path.write_bytes(wav(np.concatenate([mono, np.zeros_like(mono)], axis=1)))

    assert post(server, {"channel": channel}, file=path).json()["text"] == said


@promises(
    "Responses",
    "times and `duration` are those of the file: late sound, holes",
    "extension",
    "what hosted does is not documented",
)
def test_times_of_the_file(server: Server) -> None:
    fields = [("response_format", "verbose_json"), ("timestamp_granularities[]", "word")]
    late = post(server, fields, file=LATE).json()
    hole = post(server, [*fields, ("timestamp_granularities[]", "segment")], file=HOLE).json()

    assert late["duration"] == pytest.approx(16, abs=0.1)
    assert late["words"][0]["start"] == pytest.approx(5.2, abs=0.3)
    assert hole["duration"] == pytest.approx(15.5, abs=0.1)
    assert [word for word in hole["words"] if 3.6 < word["start"] < 13] == []
    assert hole["segments"][-1]["start"] == pytest.approx(13.2, abs=0.3)


@promises("Responses", "srt and vtt: cues at the file's times", "extension")
@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_cues_of_the_file(server: Server, form: str) -> None:
    text = post(server, {"response_format": form}, file=LATE).text

    hour, minute, second = re.findall(r"(\d\d):(\d\d):(\d\d)", text)[0]
    assert (hour, minute) == ("00", "00")
    assert 4 <= int(second) <= 5


@promises("Headers and transport", "`x-audio-track`: which track of how many", "extension")
@pytest.mark.parametrize("form", FORMATS)
def test_track_header(server: Server, form: str) -> None:
    assert post(server, {"response_format": form}).headers["x-audio-track"] == "0;of=1"
    answer = post(server, {"response_format": form}, file=TWO)
    assert answer.headers["x-audio-track"] == '1;of=2;language="eng"'


@promises("Streaming", "`x-audio-track`, if the file is read within a second", "extension")
def test_track_header_of_a_stream(server: Server) -> None:
    answer = post(server, {"stream": "true"}, file=TWO)
    assert answer.headers["x-audio-track"] == '1;of=2;language="eng"'


@promises("Errors", "`audio_track` that the file has not: 400, the tracks named", "extension")
@pytest.mark.parametrize("value", ["2", "fr", "english"])
def test_audio_track_unknown(server: Server, value: str) -> None:
    error = error_of(post(server, {"audio_track": value}, file=TWO), 400)

    assert (error["param"], error["code"]) == ("audio_track", "invalid_value")
    assert value == "english" or "0 (ger), 1 (eng)" in error["message"]


@promises("Errors", "`channel` that the file has not, or `each`: 400", "extension")
@pytest.mark.parametrize(
    ("value", "code"),
    [("1", "invalid_value"), ("left", "invalid_value"), ("each", "unsupported_value")],
)
def test_channel_unknown(server: Server, value: str, code: str) -> None:
    error = error_of(post(server, {"channel": value}), 400)

    assert (error["param"], error["code"]) == ("channel", code)
