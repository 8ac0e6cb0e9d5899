"""Tests of the parameters of transcriptions and translations."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from models.errors import AudioError
from models.options import FALLBACK_TEMPERATURES, TranscribeOptions
from tests.api.fake import (
    TRANSCRIPTIONS,
    TRANSLATIONS,
    FailingTranscriber,
    FakeTranscriber,
    client,
    served_by,
)

FILES = {"file": ("a.wav", b"audio")}
TEXT = "The naïve wind and the sun."


def options_of(path: str = TRANSCRIPTIONS, **fields: str) -> TranscribeOptions:
    """What the transcriber is asked."""
    fake = FakeTranscriber()
    response = client(fake).post(path, data={"model": "base", **fields}, files=FILES)
    assert response.status_code == 200, response.text
    [(audio, options)] = fake.calls
    assert audio == b"audio"
    return options


def error_of(path: str = TRANSCRIPTIONS, **fields: str) -> dict[str, Any]:
    """The detail of a 400; nothing is transcribed."""
    fake = FakeTranscriber()
    response = client(fake).post(path, data={"model": "base", **fields}, files=FILES)
    assert response.status_code == 400
    assert fake.calls == []
    detail = response.json()["error"]
    assert isinstance(detail, dict)
    return detail


def test_transcription() -> None:
    response = client().post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"text": TEXT, "usage": {"type": "duration", "seconds": 4}}


def test_translation() -> None:
    response = client().post(TRANSLATIONS, data={"model": "base"}, files=FILES)
    assert response.status_code == 200
    assert response.json() == {"text": TEXT}


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_transcription_without_prefix(path: str) -> None:
    response = client().post(path.removeprefix("/v1"), data={"model": "base"}, files=FILES)
    assert response.json()["text"] == TEXT


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize(
    ("response_format", "content_type"),
    [
        ("json", "application/json"),
        ("verbose_json", "application/json"),
        ("text", "text/plain; charset=utf-8"),
        ("srt", "text/plain; charset=utf-8"),
        ("vtt", "text/plain; charset=utf-8"),
    ],
)
def test_response_format(path: str, response_format: str, content_type: str) -> None:
    fields = {"model": "base", "response_format": response_format}
    response = client().post(path, data=fields, files=FILES)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert "the sun." in response.text


@pytest.mark.parametrize("response_format", ["mp3", "JSON", "'json'"])
def test_response_format_unknown(response_format: str) -> None:
    assert error_of(response_format=response_format) == {
        "message": f"response_format={response_format!r}: "
        "Input should be 'json', 'text', 'srt', 'verbose_json' or 'vtt'",
        "type": "invalid_request_error",
        "param": "response_format",
        "code": "invalid_value",
    }


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_response_format_diarized(path: str) -> None:
    assert error_of(path, response_format="diarized_json") == {
        "message": "response_format='diarized_json': this server does not tell speakers apart",
        "type": "invalid_request_error",
        "param": "response_format",
        "code": "unsupported_value",
    }


@pytest.mark.parametrize("given", ["0", "0.0", "-0", " 0 "])
def test_temperature_zero_is_the_ladder(given: str) -> None:
    assert options_of(temperature=given).temperature == FALLBACK_TEMPERATURES


@pytest.mark.parametrize(("given", "value"), [("0.2", 0.2), ("1", 1.0), ("1e-07", 1e-07)])
def test_temperature(given: str, value: float) -> None:
    assert options_of(temperature=given).temperature == (value,)
    assert options_of(TRANSLATIONS, temperature=given).temperature == (value,)


@pytest.mark.parametrize("given", ["warm", "-0.1", "1.01", "2", "nan", "inf", "0,5"])
def test_temperature_invalid(given: str) -> None:
    detail = error_of(temperature=given)
    assert detail["message"].startswith(f"temperature={given!r}: Input should be ")
    assert (detail["param"], detail["code"]) == ("temperature", "invalid_value")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        *(("en", "en"), ("en-US", "en"), ("English", "en"), ("castilian", "es"), ("jv", "jw")),
        *(("nb-NO", "no"), ("in", "id"), ("Deutsch", "de"), ("auto", None), ("und", None)),
    ],
)
def test_language(given: str, code: str | None) -> None:
    assert options_of(language=given) == TranscribeOptions(language=code)


def test_language_with_its_script() -> None:
    assert options_of(language="zh-TW") == TranscribeOptions(language="zh", scripts=("Hant-TW",))


def test_language_that_is_nearly_one() -> None:
    message = error_of(language="germn")["message"]
    assert message.endswith("; did you mean german or ger?")


@pytest.mark.parametrize("given", ["xx", "klingon", "e", "*"])
def test_language_unknown(given: str) -> None:
    assert error_of(language=given) == {
        "message": f"language={given!r}: the language is not known; give a code such as en",
        "type": "invalid_request_error",
        "param": "language",
        "code": "invalid_language_format",
    }


def test_prompt() -> None:
    assert options_of(prompt="Ångström, {x}").initial_prompt == "Ångström, {x}"
    assert options_of(TRANSLATIONS, prompt="Hello.").initial_prompt == "Hello."


def test_granularity_segment() -> None:
    fields = {"response_format": "verbose_json", "timestamp_granularities[]": "segment"}
    assert options_of(**fields) == TranscribeOptions()


def test_granularity_word() -> None:
    fields = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    assert options_of(**fields) == TranscribeOptions(word_timestamps=True)


def test_granularity_unknown() -> None:
    fields = {"response_format": "verbose_json", "timestamp_granularities[]": "letter"}
    assert error_of(**fields) == {
        "message": "timestamp_granularities='letter': Input should be 'segment' or 'word'",
        "type": "invalid_request_error",
        "param": "timestamp_granularities",
        "code": "invalid_value",
    }


@pytest.mark.parametrize("response_format", ["json", "text", "srt", "vtt", ""])
def test_granularity_without_verbose_json(response_format: str) -> None:
    fields = {"response_format": response_format, "timestamp_granularities[]": "word"}
    detail = error_of(**fields)
    assert detail["message"] == (
        "timestamp_granularities=['word']: word timestamps need response_format verbose_json"
    )
    assert detail["param"] == "timestamp_granularities"


@pytest.mark.parametrize("given", ["false", "False", "0"])
def test_stream_off(given: str) -> None:
    assert options_of(stream=given) == TranscribeOptions()


@pytest.mark.parametrize(
    ("given", "message", "code"),
    [
        (
            "perhaps",
            "stream='perhaps': Input should be a valid boolean, unable to interpret input",
            "invalid_value",
        ),
    ],
)
def test_stream_invalid(given: str, message: str, code: str) -> None:
    detail = error_of(stream=given)
    assert (detail["message"], detail["param"], detail["code"]) == (message, "stream", code)


@pytest.mark.parametrize(
    ("given", "message", "code"),
    [
        (
            "logprobs",
            "['logprobs']: log probabilities need response_format json",
            "unsupported_value",
        ),
        (
            "all",
            "'all': Input should be 'logprobs' or 'word_probability'",
            "invalid_value",
        ),
    ],
)
def test_include_invalid(given: str, message: str, code: str) -> None:
    detail = error_of(response_format="verbose_json", **{"include[]": given})
    assert (detail["message"], detail["param"]) == (f"include={message}", "include")
    assert detail["code"] == code


def test_translation_ignores_what_only_transcriptions_take() -> None:
    fields = {"language": "xx", "stream": "true", "include[]": "logprobs"}
    assert options_of(TRANSLATIONS, **fields) == TranscribeOptions(task="translate")


def test_value_in_message_is_short() -> None:
    detail = error_of(language="x" * 10_000)
    assert len(detail["message"]) < 100


@pytest.mark.parametrize(
    "model_id",
    ["base", "whisper-1", "whisper-base", "openai/whisper-base", "gpt-transcribe", "whisper-small"],
)
def test_model_ids(model_id: str) -> None:
    assert options_of(model=model_id) == TranscribeOptions()


def test_model_chosen() -> None:
    base, tiny = FakeTranscriber(), FakeTranscriber()
    app = create_app("0")
    app.state.registry = served_by({"base": base, "tiny.en": tiny})
    fields = {"model": "whisper-tiny.en"}
    response = TestClient(app).post(TRANSCRIPTIONS, data=fields, files=FILES)
    assert response.status_code == 200
    assert (len(base.calls), len(tiny.calls)) == (0, 1)


def test_model_unknown() -> None:
    fake = FakeTranscriber()
    response = client(fake).post(TRANSCRIPTIONS, data={"model": "gpt-4o"}, files=FILES)
    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "message": "The model 'gpt-4o' does not exist",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }
    assert fake.calls == []
    assert "x-whisper-model" not in response.headers


@pytest.mark.parametrize("stream", ["false", "true"])
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, "/v1/audio/detect-language"])
def test_checkpoint_is_told(path: str, stream: str) -> None:
    fields = {"model": "gpt-4o-mini-transcribe", "stream": stream}
    response = client(None, "large-v3", "base").post(path, data=fields, files=FILES)

    assert (response.status_code, response.headers["x-whisper-model"]) == (200, "large-v3")


def test_checkpoint_is_told_of_an_error_behind_it() -> None:
    app = client(FailingTranscriber(AudioError("It has no sound.")))
    response = app.post(TRANSCRIPTIONS, data={"model": "whisper-1"}, files=FILES)

    assert (response.status_code, response.headers["x-whisper-model"]) == (400, "base")


@pytest.mark.parametrize("response_format", ["srt", "vtt", "verbose_json"])
def test_hosted_name_takes_no_format_away(response_format: str) -> None:
    fields = {"model": "gpt-4o-transcribe", "response_format": response_format}

    assert client().post(TRANSCRIPTIONS, data=fields, files=FILES).status_code == 200


def test_values_are_checked_before_the_model() -> None:
    assert error_of(model="none", temperature="9")["param"] == "temperature"


def test_required_fields_are_checked_before_values() -> None:
    response = client().post(TRANSCRIPTIONS, data={"temperature": "9"}, files=FILES)
    assert response.json()["error"]["param"] == "model"
