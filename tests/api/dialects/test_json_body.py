"""Tests of JSON bodies with a recording in base64."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.settings import Settings
from models.options import TranscribeOptions
from models.units import MIB
from tests.api.dialects.observing import observed_client
from tests.api.dialects.test_pcm_upload import Measuring, exchange, limited
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, FakeTranscriber, client

JSON = {"content-type": "application/json"}
AUDIO = random.Random(24).randbytes(4_001)
DATA = base64.b64encode(AUDIO).decode()
ASKED = {"model": "base", "input_audio": {"data": DATA, "format": "wav"}}


def sent(body: bytes | str, path: str = TRANSCRIPTIONS, size: int = 64 * 1024) -> FakeTranscriber:
    """The transcriber that was given this body's recording, which came in pieces of that size."""
    transcriber = FakeTranscriber()
    content = body.encode() if isinstance(body, str) else body
    pieces = (content[start : start + size] for start in range(0, len(content), size))
    answer = client(transcriber).post(path, content=pieces, headers=JSON)
    assert answer.status_code == 200, answer.text
    return transcriber


def refusal(body: object, status: int = 400) -> dict[str, Any]:
    """The error of a body, given as it is or as what becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client().post(TRANSCRIPTIONS, content=content, headers=JSON)
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    return dict(answer.json()["error"])


def message_of(body: object) -> str:
    """The message of a body's error."""
    return str(refusal(body)["message"])


@pytest.mark.parametrize("size", [1, 3, 1_000, 64 * 1024])
def test_recording_comes_as_it_was_sent_whatever_the_pieces(size: int) -> None:
    transcriber = sent(json.dumps(ASKED), size=size)
    assert transcriber.calls == [(AUDIO, TranscribeOptions())]


def test_answer_is_openais() -> None:
    answer = client().post(TRANSCRIPTIONS, json=ASKED)
    assert answer.json() == {
        "text": "The naïve wind and the sun.",
        "usage": {"type": "duration", "seconds": 4},
    }
    assert client().post("/audio/transcriptions", json=ASKED).json() == answer.json()


@pytest.mark.parametrize("path", [TRANSLATIONS, "/audio/translations"])
def test_translations_take_it_as_well(path: str) -> None:
    assert sent(json.dumps(ASKED), path).calls[0][1].task == "translate"


@pytest.mark.parametrize("size", [1, 2, 5, 64 * 1024])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/", "\\/"),
        ("+", "\\u002B"),
        ("=", "\\u003d"),
        ("A", "A\\n"),
        ("A", "A\\r\\n "),
        ("B", "\\u0042"),
    ],
)
def test_escapes_in_the_base64(old: str, new: str, size: int) -> None:
    body = json.dumps(ASKED).replace(DATA, DATA.replace(old, new))
    assert sent(body, size=size).calls[0][0] == AUDIO


@pytest.mark.parametrize("size", [1, 64 * 1024])
@pytest.mark.parametrize("prefix", ["data:audio/wav;base64,", "data:;base64,"])
@pytest.mark.parametrize("length", [1, 2, 3, 100, 4_001])
def test_data_urls_and_missing_padding(prefix: str, length: int, size: int) -> None:
    data = base64.b64encode(AUDIO[:length]).decode().rstrip("=")
    body = json.dumps({**ASKED, "input_audio": {"data": prefix + data}})
    assert sent(body, size=size).calls[0][0] == AUDIO[:length]


def test_members_may_come_in_any_order_and_layout() -> None:
    audio = {"format": "MP3", "more": {"data": "x", "list": ["data", {"data": "y"}]}, "data": DATA}
    body = {
        "data": "no",
        "input_audio": audio,
        "z": [{"input_audio": {"data": "no"}}],
        "model": "base",
    }
    assert sent(json.dumps(body, indent=3)).calls[0][0] == AUDIO
    assert sent(json.dumps(body, separators=(",", ":")), size=1).calls[0][0] == AUDIO


def test_members_are_the_fields_of_a_form() -> None:
    fields: dict[str, Any] = {
        "language": "de",
        "prompt": ' "BentoML", \\ \u00fc\ud83d\ude00 ',
        "temperature": 0.4,
        "response_format": "verbose_json",
        "timestamp_granularities": ["segment", "word"],
        "keywords": ["Kubernetes", "BentoML"],
        "chunking_strategy": {"type": "server_vad", "threshold": 0.25},
        "condition_on_previous_text": False,
        "provider": {"options": {"openai": {}}},
        "user": None,
    }
    options = sent(json.dumps({**fields, **ASKED})).calls[0][1]
    assert options.language == "de"
    assert options.initial_prompt == '"BentoML", \\ \u00fc\U0001f600'
    assert options.temperature == (0.4,)
    assert options.word_timestamps
    assert options.keywords == ("Kubernetes", "BentoML")
    assert (options.strategy, options.voice.threshold) == ("parallel", 0.25)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, "/audio/transcriptions", TRANSLATIONS])
def test_it_is_told_as_a_dialect_of_openais_endpoint(path: str) -> None:
    app, told = observed_client("base")
    app.post(path, json=ASKED)
    app.post(path, data={"model": "base"}, files={"file": ("a", AUDIO)})
    endpoint = path if path.startswith("/v1") else f"/v1{path}"
    assert [(each.dialect, each.endpoint, each.status) for each in told] == [
        ("json-body", endpoint, 200),
        ("openai", endpoint, 200),
    ]


def test_streaming() -> None:
    answer = client().post(TRANSCRIPTIONS, json={**ASKED, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("QUJD*EVG", "only base64 data is allowed"),
        ("QUJDR", "invalid base64-encoded string"),
        ("QQ==QUJD", "excess data after padding"),
        ("QUJD" * 100 + "QQ==" + "QUJD" * 100, ""),
        ("QU=D", ""),
        ("=", ""),
        ("QUJD\\\\", ""),
        ("QUJD\u00e4", ""),
        ("data:audio/wav,QUJD", ""),
        ("_-__", ""),
    ],
)
def test_what_is_not_base64_is_told(data: str, reason: str) -> None:
    body = json.dumps({**ASKED, "input_audio": {"data": data}}).encode()
    error = refusal(body)
    assert error["message"].startswith("The field 'input_audio.data' is not base64: ")
    assert reason in str(error["message"]).lower()
    assert (error["param"], error["code"]) == ("input_audio", "invalid_value")


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (None, "The field 'input_audio' is missing: it must hold the audio."),
        ("data", "The field 'input_audio' must be an object"),
        ([DATA], "The field 'input_audio' must be an object"),
        ({}, "The field 'input_audio' has no 'data'"),
        ({"data": None, "format": "wav"}, "The field 'input_audio' has no 'data'"),
        ({"data": 7}, "The field 'input_audio' must have 'data' as a string of base64"),
        ({"data": {"data": DATA}}, "The field 'input_audio' must have 'data' as a string"),
        ({"data": ""}, "The field 'input_audio' has no audio: its 'data' is empty."),
        (
            {"data": DATA, "format": "pcm16"},
            "The field 'input_audio' has the unknown format 'pcm16'",
        ),
        ({"data": DATA, "format": 3}, "The field 'input_audio' has the unknown format 3"),
        (
            {"data": DATA, "format": ["wav"]},
            "The field 'input_audio' has the unknown format ['wav']",
        ),
    ],
)
def test_what_is_wrong_with_the_recording_is_told(audio: Any, message: str) -> None:
    body = {"model": "base"} if audio is None else {"model": "base", "input_audio": audio}
    error = refusal(body)
    assert str(error["message"]).startswith(message)
    assert error["param"] == "input_audio"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"7", b"null", b'"x"', b"{", b"}", b"]]]]", b'{"a": }', b"\xff\xfe{\x00"),
        b'{"model": "base", "input_audio": {"data": "QUJD"',
        b'{"model": "base", "input_audio": {"data": "QUJD',
        b'{"model": "base", "input_audio": {"data": "QUJD"}} more',
        b'{"input_audio": {"data": "QUJD", "data": "QUJD"}, "model": "base"}',
        b'{"model": "\\ud800", "input_audio": {"data": "QUJD"}}',
        b'{"x": ' + b"9" * 5_000 + b"}",
        b'{"a":' * 1_000,
        b"[" * 100_000,
        b'{"prompt": "' + b"x" * (2 * MIB) + b'"}',
        b'{"' + b"k" * (2 * MIB) + b'": 1}',
        b" " * (2 * MIB),
        b"file=@a.wav&model=base",
    ],
)
def test_a_body_that_is_no_such_json_is_told(body: bytes) -> None:
    assert message_of(body).startswith("The JSON body cannot be read: ")


@pytest.mark.parametrize("value", [b"9" * 5_000, b'"\\ud800"', b'"\xed\xa0\x80"', b'"\xff"'])
def test_what_no_answer_could_hold_is_told_in_words_of_json(value: bytes) -> None:
    told = message_of(b'{"x": ' + value + b"}")
    assert told == ("The JSON body cannot be read: it has a text or a number that cannot be taken.")


def test_fields_are_checked_as_those_of_forms() -> None:
    assert refusal({"input_audio": ASKED["input_audio"]})["code"] == "missing_required_parameter"
    assert refusal({**ASKED, "model": "none"}, 404)["code"] == "model_not_found"
    assert refusal({**ASKED, "temperature": "hot"})["param"] == "temperature"
    assert refusal({**ASKED, "response_format": 7})["param"] == "response_format"
    assert refusal({**ASKED, "language": ["klingon"]})["param"] == "language"
    assert "Infinity" in str(refusal({**ASKED, "temperature": float("inf")})["message"])


def test_base64_counts_against_the_limit_of_bodies() -> None:
    app = client(settings=Settings(max_upload_mib=1))
    answer = app.post(TRANSCRIPTIONS, json={"input_audio": {"data": "QUJD" * (300 * 1024)}})
    assert answer.status_code == 413


def long_body(mebibytes: int) -> Iterator[bytes]:
    """A body with so much base64, made as it is sent."""
    yield b'{"model": "base", "input_audio": {"format": "wav", "data": "'
    piece = base64.b64encode(random.Random(7).randbytes(48 * 1024))
    for _ in range(mebibytes * 16):
        yield piece
    yield b'"}}'


def test_memory_stays_flat_however_long_the_recording_is() -> None:
    app = limited(Measuring(), max_upload_mib=0)
    length = sum(map(len, long_body(64)))
    tracemalloc.start()
    try:
        answer = exchange(app, TRANSCRIPTIONS, long_body(64), length, JSON)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer[0]["status"] == 200, answer
    assert peak < 8 * MIB


def test_off_means_that_the_body_must_be_multipart() -> None:
    app: TestClient = client(settings=Settings(dialects=()))
    answer = app.post(TRANSCRIPTIONS, json=ASKED)
    assert answer.status_code == 400
    assert "must be multipart/form-data" in answer.json()["error"]["message"]


def test_other_methods_are_answered_as_without_it() -> None:
    assert client().get(TRANSLATIONS, headers=JSON).status_code == 405
