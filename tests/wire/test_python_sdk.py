"""OpenAI's Python SDK, which checks every answer against its types."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import openai
import pytest
from openai.types.audio import TranscriptionTextDoneEvent

from tests.server import Server
from tests.speech_clips import BROKEN, clips
from tests.wire.conftest import KEY
from tests.wire.http import CLIP, TEXT
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long)
DONE = "transcript.text.done"
MEBIBYTE = 1024 * 1024

T = TypeVar("T")
# Translations are announced to end; here they do not.
announced = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@promises("Clients", "OpenAI's Python SDK: json")
def test_json(sdk: openai.OpenAI) -> None:
    result = sdk.audio.transcriptions.create(file=CLIP, model="whisper-1")

    assert result.text == TEXT
    assert result.usage is not None
    assert result.usage.to_dict() == {"type": "duration", "seconds": 2}
    assert str(result._request_id).startswith("req_")  # noqa: SLF001 (the SDK's public name)


@promises("Clients", "OpenAI's Python SDK: text, srt and vtt as strings")
@pytest.mark.parametrize(
    ("response_format", "start"), [("text", TEXT), ("srt", "1\n00:"), ("vtt", "WEBVTT\n\n00:")]
)
def test_text_formats(sdk: openai.OpenAI, response_format: Any, start: str) -> None:
    result = sdk.audio.transcriptions.create(
        file=CLIP, model="whisper-1", response_format=response_format
    )

    assert isinstance(result, str)
    assert result.startswith(start)


@promises("Clients", "OpenAI's Python SDK: verbose_json with words and segments")
def test_verbose_json(sdk: openai.OpenAI) -> None:
    result = sdk.audio.transcriptions.create(
        file=CLIP,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )

    assert (result.language, result.text) == ("english", TEXT)
    assert result.segments is not None
    assert result.words is not None
    assert [segment.text.strip() for segment in result.segments] == [TEXT]
    assert [word.word for word in result.words] == TEXT.rstrip(".").split()


@promises(
    "Clients", "OpenAI's Python SDK: files as bytes, an open file, a nameless stream, a tuple"
)
@pytest.mark.parametrize(
    "file",
    [
        CLIP.read_bytes(),
        io.BytesIO(CLIP.read_bytes()),
        ("ümläut.wav", CLIP.read_bytes()),
        ("a", CLIP.read_bytes(), "text/plain"),
    ],
    ids=["bytes", "nameless", "tuple", "with a type"],
)
def test_file_forms(sdk: openai.OpenAI, file: Any) -> None:
    assert sdk.audio.transcriptions.create(file=file, model="base").text == TEXT


@promises("Clients", "OpenAI's Python SDK: every field there is")
def test_every_field(sdk: openai.OpenAI) -> None:
    result = sdk.audio.transcriptions.create(
        file=CLIP,
        model="base",
        language="en",
        prompt="Printing,",
        temperature=0.0,
        response_format="json",
        include=["logprobs"],
        chunking_strategy={"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 300},
        known_speaker_names=["agent"],
        known_speaker_references=["data:audio/wav;base64,AAAA"],
        stream=False,
        extra_body={"nested": {"a": ["b"]}},
    )

    assert isinstance(result.logprobs, list)
    assert "".join(token.token or "" for token in result.logprobs) == result.text == TEXT


@promises("Clients", "OpenAI's Python SDK: `languages` and `keywords`")
def test_languages_and_keywords(sdk: openai.OpenAI) -> None:
    result = sdk.audio.transcriptions.create(
        file=CLIP,
        model="base",
        languages=["en", "de"],
        keywords=["comparatively"],
    )

    assert result.text.lower() == TEXT


@promises("Clients", "OpenAI's Python SDK: a stream, by its own decoder")
def test_stream(sdk: openai.OpenAI) -> None:
    events = list(sdk.audio.transcriptions.create(file=LONG.path, model="tiny.en", stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]

    assert len(deltas) > 1
    assert [event.type for event in events[len(deltas) :]] == [DONE]
    assert "".join(deltas) == events[-1].text  # type: ignore[union-attr]


@promises("Clients", "OpenAI's Python SDK: a stream with log-probabilities")
def test_stream_logprobs(sdk: openai.OpenAI) -> None:
    stream = sdk.audio.transcriptions.create(
        file=CLIP, model="base", stream=True, include=["logprobs"]
    )
    *_, done = stream

    assert isinstance(done, TranscriptionTextDoneEvent)
    assert done.logprobs is not None
    assert "".join(token.token or "" for token in done.logprobs) == done.text == TEXT


@announced
@promises("Clients", "OpenAI's Python SDK: translations")
@pytest.mark.parametrize("response_format", ["json", "verbose_json", "text", "srt", "vtt"])
def test_translation(sdk: openai.OpenAI, response_format: Any) -> None:
    german = next(clip for clip in clips(language="de"))
    result: Any = sdk.audio.translations.create(
        file=german.path, model="whisper-1", response_format=response_format
    )

    assert result if isinstance(result, str) else result.text


@promises("Clients", "OpenAI's Python SDK: models, listed and by id")
def test_models(sdk: openai.OpenAI) -> None:
    ids = [model.id for model in sdk.models.list()]

    assert {"whisper-1", "base", "team/dictation"} <= set(ids)
    assert [sdk.models.retrieve(model_id).id for model_id in ids] == ids


@promises("Clients", "OpenAI's Python SDK: each error as its class, with param, code and id")
def test_errors(sdk: openai.OpenAI) -> None:
    create = sdk.audio.transcriptions.create
    with pytest.raises(openai.NotFoundError) as unknown:
        create(file=CLIP, model="none")
    with pytest.raises(openai.BadRequestError) as invalid:
        create(file=CLIP, model="base", temperature=7)
    with pytest.raises(openai.BadRequestError) as broken:
        create(file=BROKEN / "text.mp3", model="base")
    with pytest.raises(openai.PermissionDeniedError):
        sdk.models.delete("base")

    assert (unknown.value.param, unknown.value.code) == ("model", "model_not_found")
    assert (invalid.value.param, invalid.value.code) == ("temperature", "invalid_value")
    assert broken.value.param == "file"
    assert all(str(each.value.request_id).startswith("req_") for each in (unknown, broken))


def guarded_sdk(server: Server, key: str = KEY) -> tuple[openai.OpenAI, list[object]]:
    """The SDK as users have it, with its retries, and the requests that it sends."""
    sent: list[object] = []
    client = openai.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, http_client=client), sent


@promises("Clients", "OpenAI's Python SDK: the key, right and wrong; a refusal is not sent again")
def test_key(guarded: Server) -> None:
    right, _ = guarded_sdk(guarded)
    wrong, sent = guarded_sdk(guarded, "sk-wrong-key")

    assert right.audio.transcriptions.create(file=CLIP, model="whisper-1").text == TEXT
    with pytest.raises(openai.AuthenticationError) as caught:
        wrong.audio.transcriptions.create(file=("a.wav", bytes(20 * MEBIBYTE)), model="whisper-1")
    assert (caught.value.code, len(sent)) == ("invalid_api_key", 1)


@promises("Clients", "OpenAI's Python SDK: 413 for what is too large, not sent again")
@pytest.mark.parametrize("size", [2 * MEBIBYTE, 60 * MEBIBYTE])
def test_too_large(guarded: Server, size: int) -> None:
    client, sent = guarded_sdk(guarded)

    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.transcriptions.create(file=("a.wav", bytes(size)), model="whisper-1")
    assert (caught.value.status_code, len(sent)) == (413, 1)


def asynchronously(server: Server, work: Callable[[openai.AsyncOpenAI], Awaitable[T]]) -> T:
    """What `work` gives with the asynchronous SDK."""

    async def run() -> T:
        async with openai.AsyncOpenAI(
            base_url=f"{server.url}/v1",
            api_key="unused",
            max_retries=0,
            _strict_response_validation=True,
        ) as client:
            return await work(client)

    return asyncio.run(run())


@promises("Clients", "OpenAI's asynchronous Python SDK: json, many at once")
def test_async(server: Server) -> None:
    async def many(client: openai.AsyncOpenAI) -> list[str]:
        create = client.audio.transcriptions.create
        calls = [create(file=CLIP, model="tiny.en") for _ in range(8)]
        return [result.text for result in await asyncio.gather(*calls)]

    assert asynchronously(server, many) == [TEXT] * 8


@promises("Clients", "OpenAI's asynchronous Python SDK: a stream")
def test_async_stream(server: Server) -> None:
    async def types(client: openai.AsyncOpenAI) -> list[str]:
        stream = await client.audio.transcriptions.create(file=CLIP, model="base", stream=True)
        return [event.type async for event in stream]

    assert asynchronously(server, types) == ["transcript.text.delta", DONE]


@promises("Clients", "OpenAI's asynchronous Python SDK: errors")
def test_async_errors(server: Server) -> None:
    async def refused(client: openai.AsyncOpenAI) -> str | None:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.models.retrieve("none")
        return caught.value.code

    assert asynchronously(server, refused) == "model_not_found"
