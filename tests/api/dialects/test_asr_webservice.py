"""Tests of /asr and /detect-language: fields, outputs, errors."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.dialects.asr_webservice import without_times
from api.requests.model_registry import Transcriber
from api.settings import Settings
from models.errors import AudioError, DecodingError, OverloadedError
from models.options import TranscribeOptions
from models.text.transcript import Segment, Word
from tests.api.dialects.observing import observed_client
from tests.api.fake import (
    SEGMENTS,
    EndlessTranscriber,
    FailingTranscriber,
    FakeTranscriber,
    client,
    segment,
)

FILES = {"audio_file": ("audio_file", b"RIFF-any-file")}
# As a reader of SubRip finds times, and one of WebVTT.
TIMES = re.compile(r"\d{1,2}:\d{1,2}(:\d{1,2})?[.,]\d{1,3}|-->")
WITH_WORDS = replace(
    SEGMENTS[0],
    words=(Word(" The", 0.0, 0.5, 0.75), Word(" naïve", 0.5, 4.0, 0.5)),
)


def asked(transcriber: Transcriber | None = None, path: str = "/asr", **query: str) -> Response:
    """The answer to a recording with these query fields."""
    return client(transcriber).post(path, params=query, files=FILES)


def options_of(**query: str) -> TranscribeOptions:
    """The options that a request with these query fields becomes."""
    transcriber = FakeTranscriber()
    answer = asked(transcriber, **query)
    assert answer.status_code == 200, answer.text
    return transcriber.calls[0][1]


def assert_error(answer: Response, status: int) -> str:
    """The message of an error that no client can take for a subtitle or a language."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["detail"]
    assert "\n" not in answer.text
    assert not TIMES.search(answer.text)
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    ("output", "body"),
    [
        ("txt", "The naïve wind and\nthe sun.\n"),
        (
            "srt",
            (
                "1\n00:00:00,000 --> 00:00:02,000\nThe naïve wind and\n\n"
                "2\n00:00:02,000 --> 00:00:03,700\nthe sun.\n\n"
            ),
        ),
        (
            "vtt",
            (
                "WEBVTT\n\n00:00.000 --> 00:02.000\nThe naïve wind and\n\n"
                "00:02.000 --> 00:03.700\nthe sun.\n\n"
            ),
        ),
        ("tsv", "start\tend\ttext\n0\t2000\tThe naïve wind and\n2000\t3700\tthe sun.\n"),
    ],
)
def test_outputs_are_texts_to_be_saved(output: str, body: str) -> None:
    answer = asked(output=output)

    assert (answer.status_code, answer.text) == (200, body)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    name = f'attachment; filename="audio_file.{output}"'
    assert answer.headers["content-disposition"] == name
    assert answer.headers["asr-engine"] == "whisper-bento"


def test_output_is_text_unless_told() -> None:
    assert asked().text == "The naïve wind and\nthe sun.\n"
    assert asked(output="").text == "The naïve wind and\nthe sun.\n"


@pytest.mark.parametrize(
    ("word_timestamps", "words"),
    [
        ("false", None),
        (
            "true",
            [
                {"word": " The", "start": 0.0, "end": 0.5, "probability": 0.75},
                {"word": " naïve", "start": 0.5, "end": 3.7, "probability": 0.5},
            ],
        ),
    ],
)
def test_json_has_the_members_of_openai_whisper(word_timestamps: str, words: Any) -> None:
    spoken: Segment = WITH_WORDS if words else SEGMENTS[0]
    transcriber = FakeTranscriber((spoken,))
    answer = asked(transcriber, output="json", word_timestamps=word_timestamps)

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert transcriber.calls[0][1].word_timestamps is (words is not None)
    assert answer.json() == {
        "language": "en",
        "text": "The naïve wind and",
        "segments": [
            {
                "id": 0,
                "seek": 0,
                "start": 0.0,
                "end": 2.0,
                "text": " The naïve wind and",
                "tokens": [50364, 440, 50464],
                "temperature": 0.0,
                "avg_logprob": -0.25,
                "compression_ratio": 1.5,
                "no_speech_prob": 0.125,
                "words": words,
            }
        ],
    }


def test_hours_in_vtt_come_with_the_first_hour_and_tabs_are_spaces() -> None:
    late = FakeTranscriber((segment(0, 3599.0, 3601.5, " over\tan\nhour"),), duration=3700)

    assert asked(late, output="vtt").text.splitlines()[2] == "59:59.000 --> 01:00:01.500"
    assert asked(late, output="tsv").text.splitlines()[1] == "3599000\t3601500\tover an hour"
    assert asked(late, output="txt").text == "over\tan hour\n"


@pytest.mark.parametrize("output", ["txt", "srt", "tsv", "vtt"])
def test_silence_is_an_empty_output(output: str) -> None:
    silent = FakeTranscriber(())
    heads = {"vtt": "WEBVTT\n\n", "tsv": "start\tend\ttext\n"}
    assert asked(silent, output=output).text == heads.get(output, "")


@pytest.mark.parametrize(
    ("file_name", "shown"),
    [
        ("@audio.m4a", "%40audio.m4a.txt"),
        ('a"\r\nx: y', "a%2522%250D%250Ax%3A%20y.txt"),
        ("Zürich", "Z%C3%BCrich.txt"),
        ("x" * 1_000, "x" * 200 + ".txt"),
    ],
)
def test_file_name_is_that_of_the_recording(file_name: str, shown: str) -> None:
    answer = client().post("/asr", files={"audio_file": (file_name, b"RIFF")})

    assert answer.headers["content-disposition"] == f'attachment; filename="{shown}"'


def test_fields_become_options() -> None:
    assert options_of() == TranscribeOptions()
    assert options_of(task="translate").task == "translate"
    assert options_of(language="de").language == "de"
    assert options_of(language="").language is None
    assert options_of(language="German").language == "de"
    assert options_of(initial_prompt="Kubernetes, Zürich").initial_prompt == "Kubernetes, Zürich"
    assert options_of(hotwords="BentoML, Kubernetes").keywords == ("BentoML", "Kubernetes")
    assert options_of(vad_filter="true").strategy == "parallel"


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1", "yes"])
def test_a_boolean_that_is_true(value: str) -> None:
    assert options_of(word_timestamps=value, output="json").word_timestamps


@pytest.mark.parametrize("value", ["false", "False", "0", "no", ""])
def test_a_boolean_that_is_false(value: str) -> None:
    assert not options_of(word_timestamps=value, output="json").word_timestamps


def test_unknown_fields_are_ignored() -> None:
    fields = {"diarize": "True", "enable_diarization": "true", "min_speakers": "2"}
    fields |= {"video_file": "/films/a.mkv", "return_speaker_embeddings": "maybe", "model": "other"}
    transcriber = FakeTranscriber()
    assert client(transcriber).post("/asr", params=fields, files=FILES).is_success
    assert transcriber.calls[0][1] == TranscribeOptions()


@pytest.mark.parametrize(
    ("path", "query", "used"),
    [
        ("/asr", {"model": "tiny.en"}, "tiny.en"),
        ("/asr", {"model": "medium"}, "base"),
        ("/asr", {}, "base"),
        ("/detect-language", {"model": "tiny.en"}, "tiny.en"),
    ],
)
def test_model_is_chosen_where_it_is_served(path: str, query: dict[str, str], used: str) -> None:
    app, told = observed_client("base", "tiny.en")
    app.post(path, params=query, files=FILES)

    assert [(each.dialect, each.endpoint, each.model) for each in told] == [
        ("asr-webservice", path, used)
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"output": "docx"}, "output='docx': Input should be 'txt', 'vtt', 'srt', 'tsv' or 'json'"),
        ({"task": "sing"}, "task='sing': Input should be 'transcribe' or 'translate'"),
        ({"language": "klingon"}, "language='klingon': the language is not known"),
        ({"encode": "maybe"}, "encode='maybe': Input should be a valid boolean"),
        ({"word_timestamps": "2"}, "word_timestamps='2': Input should be a valid boolean"),
    ],
)
def test_a_malformed_field_is_named(query: dict[str, str], message: str) -> None:
    answer = client().post("/asr", params=query, files=FILES)
    assert assert_error(answer, 400).startswith(message)


@pytest.mark.parametrize("path", ["/asr", "/detect-language"])
def test_the_part_must_be_there_once_and_be_a_file(path: str) -> None:
    app = client()
    missing = "The field 'audio_file' is missing: it must hold the audio."
    assert assert_error(app.post(path, files={"file": ("a.wav", b"RIFF")}), 400) == missing
    two = [("audio_file", ("a", b"RIFF"))] * 2
    assert "must be one 'audio_file'" in assert_error(app.post(path, files=two), 400)
    text = app.post(path, files={"audio_file": (None, b"RIFF")})
    assert "must be a file part" in assert_error(text, 400)
    assert "multipart/form-data" in assert_error(app.post(path, content=b"RIFF"), 400)


@pytest.mark.parametrize("path", ["/asr", "/detect-language"])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AudioError("The file could not be decoded."), 400),
        (OverloadedError("full", 3), 503),
        (DecodingError("a step's fault"), 503),
    ],
)
def test_an_error_of_the_work_has_its_status(path: str, error: Exception, status: int) -> None:
    answer = asked(FailingTranscriber(error), path, output="srt")

    assert assert_error(answer, status) == str(error)
    assert ("retry-after" in answer.headers) is isinstance(error, OverloadedError)


def test_a_fault_is_told_without_details() -> None:
    app = client(FailingTranscriber(RuntimeError("secret")))
    app = TestClient(app.app, raise_server_exceptions=False)
    assert "secret" not in assert_error(app.post("/asr?output=srt", files=FILES), 500)


@pytest.mark.parametrize("path", ["/asr?output=srt", "/detect-language"])
def test_errors_of_all_layers_have_the_shape(path: str) -> None:
    keyed = client(settings=Settings.from_environ({"WHISPER_API_KEYS": "k" * 8}))
    assert_error(keyed.post(path, files=FILES), 401)
    small = client(settings=Settings(max_upload_mib=1))
    assert_error(small.post(path, files={"audio_file": ("a", bytes(2 << 20))}), 413)
    assert_error(client().get(path), 405)
    slow = client(EndlessTranscriber(), settings=Settings(timeout=1))
    assert_error(slow.post("/asr?output=srt", files=FILES), 504)
    assert_error(client().post(path, headers={"x": "y" * 20_000}, files=FILES), 431)


def test_what_a_client_sends_does_not_make_an_error_a_subtitle() -> None:
    cue = "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n"
    for field in ("output", "language", "task"):
        message = assert_error(client().post("/asr", params={field: cue}, files=FILES), 400)
        assert "Hello" in message
    assert json.loads(without_times('{"a": "1:2 --> 3"}')) == {"a": "1:2 --> 3"}


def test_language_is_named_by_code_and_name() -> None:
    answer = asked(path="/detect-language", encode="true")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "detected_language": "english",
        "language_code": "en",
        "confidence": 0.75,
    }


def test_language_of_silence_is_undetermined() -> None:
    assert asked(FakeTranscriber(()), "/detect-language").json() == {
        "detected_language": "undetermined",
        "language_code": "und",
        "confidence": 0.0,
    }
