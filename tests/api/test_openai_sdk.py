"""Tests with the official OpenAI SDK, which checks every answer against its own types."""

from __future__ import annotations

import io

import openai
import pytest

from models.errors import AudioError, EngineStoppedError, OverloadedError
from models.options import TranscribeOptions
from tests.api.fake import (
    CREATED,
    BreakingTranscriber,
    FailingTranscriber,
    FakeTranscriber,
    client,
)

TEXT = "The naïve wind and the sun."
DONE = "transcript.text.done"
WAV = ("a.wav", b"audio")


def sdk(transcriber: FakeTranscriber | FailingTranscriber | None = None) -> openai.OpenAI:
    """The SDK against the app."""
    return openai.OpenAI(
        base_url="http://testserver/v1",
        api_key="none",
        http_client=client(transcriber),
        max_retries=0,
        _strict_response_validation=True,
    )


def test_sdk_json() -> None:
    fake = FakeTranscriber()
    result = sdk(fake).audio.transcriptions.create(
        file=WAV, model="whisper-1", language="en", prompt="Aesop", temperature=0.5
    )
    assert result.text == TEXT
    assert result.usage is not None
    assert result.usage.to_dict() == {"type": "duration", "seconds": 4}
    assert str(result._request_id).startswith("req_")  # noqa: SLF001 (the SDK's public name)
    options = TranscribeOptions(language="en", initial_prompt="Aesop", temperature=(0.5,))
    assert fake.calls == [(b"audio", options)]


def test_sdk_verbose_json() -> None:
    result = sdk().audio.transcriptions.create(
        file=io.BytesIO(b"audio"),
        model="whisper-base",
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )
    assert (result.text, result.language, result.duration) == (TEXT, "english", 3.7)
    assert result.words is None
    assert result.segments is not None
    assert [(part.start, part.end) for part in result.segments] == [(0.0, 2.0), (2.0, 3.7)]
    assert result.usage is not None
    assert result.usage.seconds == 4


@pytest.mark.parametrize(
    ("response_format", "start"), [("text", TEXT + "\n"), ("srt", "1\n00:"), ("vtt", "WEBVTT\n\n")]
)
def test_sdk_text_formats(response_format: str, start: str) -> None:
    result = sdk().audio.transcriptions.create(
        file=WAV,
        model="base",
        response_format=response_format,  # type: ignore[call-overload]
    )
    assert isinstance(result, str)
    assert result.startswith(start)


def test_sdk_subtitle_fields() -> None:
    fake = FakeTranscriber()
    result = sdk(fake).audio.transcriptions.create(
        file=WAV,
        model="base",
        response_format="srt",
        extra_body={"max_line_width": 9, "max_cue_duration": 7.5},
    )
    assert "\nThe naïve\nwind and\n\n" in result
    assert fake.calls[0][1].word_timestamps


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sdk_translation() -> None:
    fake = FakeTranscriber(language="de")
    assert sdk(fake).audio.translations.create(file=WAV, model="whisper-1").text == TEXT
    assert fake.calls[0][1].task == "translate"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sdk_translation_verbose_json() -> None:
    result = sdk(FakeTranscriber(language="de")).audio.translations.create(
        file=WAV, model="whisper-1", response_format="verbose_json"
    )
    assert (result.text, result.language, result.duration) == (TEXT, "english", 3.7)
    assert result.segments is not None
    assert len(result.segments) == 2


def test_sdk_models() -> None:
    models = list(sdk().models.list())
    assert [model.id for model in models] == ["whisper-1", "base", "whisper-base"]
    assert {model.created for model in models} == {CREATED}


def test_sdk_model_with_slash() -> None:
    assert sdk().models.retrieve("openai/whisper-base").id == "openai/whisper-base"


def test_sdk_model_unknown() -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk().audio.transcriptions.create(file=WAV, model="nope")
    assert (caught.value.param, caught.value.code) == ("model", "model_not_found")
    assert caught.value.request_id is not None


def test_sdk_bad_audio() -> None:
    with pytest.raises(openai.BadRequestError, match="The audio file is empty") as caught:
        sdk(FailingTranscriber(AudioError("The audio file is empty."))).audio.transcriptions.create(
            file=WAV, model="base"
        )
    assert caught.value.param == "file"


def test_sdk_stream() -> None:
    events = list(sdk().audio.transcriptions.create(file=WAV, model="base", stream=True))

    assert [event.type for event in events] == [*["transcript.text.delta"] * 2, DONE]
    assert "".join(event.delta for event in events if event.type != DONE) == TEXT  # type: ignore[union-attr]
    assert events[-1].text == TEXT  # type: ignore[union-attr]


def test_sdk_stream_raises_what_fails_in_the_middle() -> None:
    error = EngineStoppedError("The server is shutting down.")
    stream = sdk(BreakingTranscriber(error=error)).audio.transcriptions.create(
        file=WAV, model="base", stream=True
    )

    first = next(stream)
    with pytest.raises(openai.APIError, match="The server is shutting down"):
        next(stream)
    assert first.type == "transcript.text.delta"


def test_sdk_stream_of_a_bad_file_is_an_error_of_its_own() -> None:
    failing = FailingTranscriber(AudioError("The audio file is empty."))
    with pytest.raises(openai.BadRequestError, match="The audio file is empty"):
        sdk(failing).audio.transcriptions.create(file=WAV, model="base", stream=True)


def test_sdk_overloaded() -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        sdk(FailingTranscriber(OverloadedError("Full.", 2))).audio.transcriptions.create(
            file=WAV, model="base"
        )
    assert caught.value.status_code == 503
    assert caught.value.response.headers["retry-after"] == "2"
