"""Tests of /inference and /load: fields, answers, errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.requests.model_registry import Transcriber
from api.settings import Settings
from models.errors import AudioError, OptionError, OverloadedError
from models.options import TranscribeOptions, VoiceOptions
from models.text.transcript import Word
from tests.api.dialects.observing import observed_client
from tests.api.fake import (
    SEGMENTS,
    EndlessTranscriber,
    FailingTranscriber,
    FakeTranscriber,
    client,
)

FILES = {"file": ("audio.wav", b"RIFF-any-file", "audio/wav")}
TEXT = " The naïve wind and\n the sun.\n"
SPOKEN = replace(SEGMENTS[0], words=(Word(" The", 0.0, 0.5, 0.75), Word(" sun", 0.5, 4.0, 0.5)))


class EnglishOnly(FakeTranscriber):
    """Detects no languages, as a model that knows English only."""

    async def detect_language(self, *_: object, **__: object) -> dict[str, float]:
        """Never a language."""
        raise OptionError("model", "This model knows English only: it detects no languages.")


def asked(fields: dict[str, str] | None = None, transcriber: Transcriber | None = None) -> Response:
    """The answer to a recording with these fields."""
    return client(transcriber).post("/inference", data=fields, files=FILES)


def options_of(**fields: str) -> TranscribeOptions:
    """The options that a request with these fields becomes."""
    transcriber = FakeTranscriber()
    answer = asked(fields, transcriber)
    assert answer.status_code == 200, answer.text
    return transcriber.calls[0][1]


def assert_error(answer: Response, status: int) -> str:
    """The message of an error, which is a string."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    message = answer.json()["error"]
    assert isinstance(message, str)
    return message


@pytest.mark.parametrize("fields", [{}, {"response_format": "json"}, {"response_format": "docx"}])
def test_json_is_the_segments_in_lines(fields: dict[str, str]) -> None:
    answer = asked(fields)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"text": TEXT}


@pytest.mark.parametrize(
    ("answer_format", "media_type", "body"),
    [
        ("text", "text/html; charset=utf-8", TEXT),
        (
            "srt",
            "application/x-subrip",
            (
                "1\n00:00:00,000 --> 00:00:02,000\nThe naïve wind and\n\n"
                "2\n00:00:02,000 --> 00:00:03,700\nthe sun.\n\n"
            ),
        ),
        (
            "vtt",
            "text/vtt; charset=utf-8",
            (
                "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nThe naïve wind and\n\n"
                "00:00:02.000 --> 00:00:03.700\nthe sun.\n\n"
            ),
        ),
    ],
)
def test_texts_have_their_types(answer_format: str, media_type: str, body: str) -> None:
    answer = asked({"response_format": answer_format})

    assert answer.headers["content-type"] == media_type
    assert answer.content.decode() == body


def verbose(fields: dict[str, str], transcriber: Transcriber | None = None) -> dict[str, Any]:
    """The verbose_json of one spoken segment."""
    transcriber = transcriber or FakeTranscriber((SPOKEN,))
    answer = asked({"response_format": "verbose_json", **fields}, transcriber)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_verbose_json_has_whisper_cpps_members() -> None:
    assert verbose({}) == {
        "task": "transcribe",
        "language": "english",
        "duration": 3.7,
        "text": " The naïve wind and\n",
        "segments": [
            {
                "id": 0,
                "text": " The naïve wind and",
                "start": 0.0,
                "end": 2.0,
                "tokens": [50364, 440, 50464],
                "words": [
                    {"word": " The", "start": 0.0, "end": 0.5, "probability": 0.75},
                    {"word": " sun", "start": 0.5, "end": 3.7, "probability": 0.5},
                ],
                "temperature": 0.0,
                "avg_logprob": -0.25,
                "no_speech_prob": 0.125,
            }
        ],
        "detected_language": "english",
        "detected_language_probability": 0.75,
        "language_probabilities": {"en": 0.75, "de": 0.25},
    }


def test_members_of_verbose_json_that_are_not_wanted_are_left_out() -> None:
    assert "language_probabilities" not in verbose({"no_language_probabilities": "true"})
    assert "detected_language" not in verbose({}, EnglishOnly((SPOKEN,)))
    assert "words" not in verbose({"token_timestamps": "false"})["segments"][0]
    timeless = verbose({"no_timestamps": "yes"})["segments"][0]
    assert not {"start", "end", "words"} & timeless.keys()


def test_fields_become_options() -> None:
    assert options_of() == TranscribeOptions()
    assert options_of(language="auto").language is None
    assert options_of(language="de").language == "de"
    assert options_of(language="de", detect_language="true").language is None
    assert options_of(translate="true").task == "translate"
    assert options_of(prompt="BentoML").initial_prompt == "BentoML"
    assert options_of(carry_initial_prompt="1", prompt="x").carry_initial_prompt
    assert options_of(logprob_thold="-1.25").logprob_threshold == -1.25
    assert options_of(no_speech_thold="0.5").no_speech_threshold == 0.5
    assert options_of(response_format="verbose_json").word_timestamps
    assert not options_of(response_format="verbose_json", no_timestamps="true").word_timestamps


@pytest.mark.parametrize("value", ["true", "1", "yes", "y", "TRUE"])
def test_a_flag_that_is_true(value: str) -> None:
    assert options_of(translate=value).task == "translate"


@pytest.mark.parametrize("value", ["false", "0", "no", "on", "2", ""])
def test_a_flag_that_is_anything_else_is_false(value: str) -> None:
    assert options_of(translate=value).task == "transcribe"


@pytest.mark.parametrize(
    ("fields", "temperatures"),
    [
        ({"temperature": "0.0", "temperature_inc": "0.2"}, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ({"temperature": "0.4"}, (0.4, 0.6, 0.8, 1.0)),
        ({"temperature_inc": "0"}, (0.0,)),
        ({"temperature": "0.5", "temperature_inc": "0.3"}, (0.5, 0.8)),
        ({"temperature": "1"}, (1.0,)),
    ],
)
def test_temperatures_rise_by_the_increment(
    fields: dict[str, str], temperatures: tuple[float, ...]
) -> None:
    assert options_of(**fields).temperature == temperatures


def test_voice_detection_is_by_its_fields() -> None:
    fields = {"vad_threshold": "0.6", "vad_min_speech_duration_ms": "250"}
    fields |= {"vad_min_silence_duration_ms": "100", "vad_speech_pad_ms": "30"}
    found = options_of(vad="true", **fields)
    assert found.strategy == "parallel"
    assert found.voice == VoiceOptions(0.6, 30, 100, 250)
    assert options_of(**fields) == TranscribeOptions()


def test_max_len_limits_the_lines_of_subtitles() -> None:
    long = FakeTranscriber((replace(SEGMENTS[0], text=" The north wind and the sun were there"),))
    answer = asked({"response_format": "srt", "max_len": "12"}, long)
    lines = [line for line in answer.text.splitlines() if line and line[0].isalpha()]

    assert max(map(len, lines)) <= 12
    assert " ".join(lines) == "The north wind and the sun were there"
    assert long.calls[0][1].word_timestamps
    assert options_of(max_len="60") == TranscribeOptions()


def test_fields_that_change_nothing_are_ignored() -> None:
    names = "best_of beam_size entropy_thold word_thold max_context audio_ctx split_on_word"
    names += " suppress_nst suppress_non_speech debug_mode vad_samples_overlap unheard_of"
    assert options_of(**dict.fromkeys(names.split(), "5")) == TranscribeOptions()
    harmless = {"offset_t": "0", "duration": "0", "offset_n": "0", "max_len": "0"}
    harmless |= {"diarize": "false", "tinydiarize": "false"}
    assert options_of(**harmless) == TranscribeOptions()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"offset_t": "1000"}, "offset_t='1000': a part of a recording is not served"),
        ({"duration": "1000"}, "duration='1000': a part of a recording is not served"),
        ({"offset_n": "3"}, "offset_n='3': subtitles are counted from 1"),
        ({"diarize": "true"}, "diarize='true': this server does not tell speakers apart"),
        ({"tinydiarize": "1"}, "tinydiarize='1': this server does not tell speakers apart"),
        ({"max_len": "20", "response_format": "verbose_json"}, "max_len is served for srt"),
        ({"max_len": "-1"}, "max_len='-1': "),
        ({"temperature": "2"}, "temperature='2': "),
        ({"temperature": "nan"}, "temperature='nan': "),
        ({"temperature_inc": "0.001"}, "temperature_inc='0.001': it must be 0, or from 0.1 to 1"),
        ({"temperature_inc": "x"}, "temperature_inc='x': "),
        ({"language": "klingon"}, "language='klingon': the language is not known"),
        ({"vad_threshold": "7"}, "vad_threshold='7': "),
        ({"offset_t": "soon"}, "offset_t='soon': "),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_sentence(
    fields: dict[str, str], message: str
) -> None:
    assert assert_error(asked(fields), 400).startswith(message)


@pytest.mark.parametrize(
    ("fields", "used"),
    [({"model": "tiny.en"}, "tiny.en"), ({"model": "ggml-small"}, "base"), ({}, "base")],
)
def test_model_is_chosen_where_it_is_served(fields: dict[str, str], used: str) -> None:
    app, told = observed_client("base", "tiny.en")
    app.post("/inference", data=fields, files=FILES)
    assert [(each.dialect, each.endpoint, each.model) for each in told] == [
        ("whisper-cpp", "/inference", used)
    ]


def test_a_body_without_the_file() -> None:
    app = client()
    message = "no 'file' field in the request"
    assert assert_error(app.post("/inference", files={"other": ("a", b"x")}), 400) == message
    assert "multipart" in assert_error(app.post("/inference", content=b"RIFF"), 400)
    assert_error(app.post("/inference", data={"file": "text"}), 400)


def test_errors_of_all_layers_are_strings() -> None:
    assert_error(
        client(FailingTranscriber(AudioError("no sound"))).post("/inference", files=FILES), 400
    )
    full = client(FailingTranscriber(OverloadedError("full", 3))).post("/inference", files=FILES)
    assert (assert_error(full, 503), full.headers["retry-after"]) == ("full", "3")
    faulty = TestClient(
        client(FailingTranscriber(RuntimeError("secret"))).app, raise_server_exceptions=False
    )
    assert "secret" not in assert_error(faulty.post("/inference", files=FILES), 500)
    keyed = client(settings=Settings.from_environ({"WHISPER_API_KEYS": "k" * 8}))
    assert_error(keyed.post("/inference", files=FILES), 401)
    assert_error(keyed.post("/load", data={"model": "base"}), 401)
    small = client(settings=Settings(max_upload_mib=1))
    assert_error(small.post("/inference", files={"file": ("a", bytes(2 << 20))}), 413)
    slow = client(EndlessTranscriber(), settings=Settings(timeout=1))
    assert_error(slow.post("/inference", files=FILES), 504)
    assert_error(client().get("/inference"), 405)
    assert_error(client().post("/inference", headers={"x": "y" * 20_000}, files=FILES), 431)


@pytest.mark.parametrize("model", ["base", "models/ggml-base.bin", r"C:\w\ggml-base.bin"])
def test_the_default_model_is_loaded_already(model: str) -> None:
    answer = client().post("/load", files={"model": (None, model)})

    assert (answer.status_code, answer.text) == (200, "Load was successful!")
    assert answer.headers["content-type"] == "application/text"


def test_another_model_is_not_loaded_for_all() -> None:
    app = client(None, "base", "tiny.en")
    message = assert_error(app.post("/load", files={"model": (None, "ggml-tiny.en.bin")}), 400)
    assert message.endswith("send model=tiny.en with each request.")
    unknown = app.post("/load", files={"model": (None, "models/ggml-large.bin")})
    assert assert_error(unknown, 400) == "model not found!"
    missing = app.post("/load", files={"other": (None, "x")})
    assert assert_error(missing, 400) == "no 'model' field in the request"
    assert_error(app.get("/load"), 405)
