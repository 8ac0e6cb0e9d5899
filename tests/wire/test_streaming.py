"""`stream=true`: server-sent events, as the SDKs' decoders need them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.server import Server
from tests.speech_clips import BROKEN, OWN_SPEECH, clips
from tests.wire.http import SECONDS, TEXT, TRANSCRIPTIONS, error_of, parts, post
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long)
SILENCE = OWN_SPEECH / "clips" / "nonspeech" / "silence-5s.flac"


def events_of(text: str) -> list[Any]:
    """The data of each event, `[DONE]` as it is; there is nothing else in the stream."""
    *blocks, rest = text.split("\n\n")
    assert rest == ""
    told = [block for block in blocks if not block.startswith(":")]
    assert all(block.startswith("data: ") and "\n" not in block for block in told)
    data = [block.removeprefix("data: ") for block in told]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def stream(server: Server, *fields: tuple[str, str], **options: Any) -> list[Any]:
    """The events for a request with these fields."""
    answer = post(server, [("stream", "true"), *fields], **options)
    assert answer.status_code == 200, answer.text
    return events_of(answer.text)


@promises("Streaming", "deltas, one `transcript.text.done`, `[DONE]`; `data:` lines alone")
def test_stream_events(server: Server) -> None:
    *deltas, done, end = stream(server)

    assert {event["type"] for event in deltas} == {"transcript.text.delta"}
    assert "".join(event["delta"] for event in deltas) == TEXT
    assert (done["type"], done["text"]) == ("transcript.text.done", TEXT)
    assert end == "[DONE]"


@promises("Streaming", "`usage` in `transcript.text.done`, of kind `tokens`: ten a second of audio")
def test_stream_usage(server: Server) -> None:
    usage = stream(server, ("prompt", "Of books."))[-2]["usage"]
    details = usage["input_token_details"]

    assert list(usage) == [
        "type",
        "total_tokens",
        "input_tokens",
        "input_token_details",
        "output_tokens",
    ]
    assert (details["text_tokens"], details["audio_tokens"]) == (3, 19)
    assert usage["input_tokens"] == 22
    assert usage["total_tokens"] == 22 + usage["output_tokens"]
    assert usage["output_tokens"] >= len(TEXT.split())


@promises(
    "Streaming",
    "lines end in LF",
    "differs",
    "hosted ends them in CRLF; to readers of server-sent events both are the same, and those "
    "written by hand look for an empty line",
)
def test_stream_lines(server: Server) -> None:
    assert "\r" not in post(server, {"stream": "true"}).text


@promises("Streaming", "`response_format` json and text stream the same events")
def test_stream_of_text(server: Server) -> None:
    assert stream(server, ("response_format", "text")) == stream(server)


@promises(
    "Streaming",
    "`whisper-1` streams",
    "extension",
    "hosted ignores `stream` there, and its SDKs then see an empty stream",
)
@pytest.mark.parametrize("model", ["whisper-1", "tiny.en", "gpt-4o-transcribe"])
def test_stream_of_every_model(server: Server, model: str) -> None:
    assert stream(server, ("model", model))[-2]["text"] == TEXT


@promises("Streaming", "text/event-stream that no cache or proxy holds back")
def test_stream_headers(server: Server) -> None:
    headers = post(server, {"stream": "true"}).headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers
    assert "content-encoding" not in headers


@promises("Streaming", "the text of a long recording comes window by window, not at its end")
def test_stream_comes_as_text_becomes_final(server: Server) -> None:
    form = [*parts({"model": "tiny.en", "stream": "true"}, LONG.path)]
    received: list[str] = []
    with httpx.stream(
        "POST", f"{server.url}{TRANSCRIPTIONS}", files=form, timeout=SECONDS
    ) as answer:
        received += [chunk for chunk in answer.iter_text() if "transcript.text" in chunk]

    # Each chunk is what the server has flushed at once.
    assert len(received) > 2
    assert "transcript.text.done" not in received[0]


@promises("Streaming", "the deltas of a long recording join to the text that is not streamed")
def test_stream_of_a_long_recording(server: Server) -> None:
    whole = post(server, {"model": "tiny.en"}, file=LONG.path).json()["text"]
    *deltas, done, _ = stream(server, ("model", "tiny.en"), file=LONG.path)

    assert "".join(event["delta"] for event in deltas) == done["text"] == whole


@promises("Streaming", "`include[]=logprobs`: in each delta and in `done`")
def test_stream_logprobs(server: Server) -> None:
    *deltas, done, _ = stream(server, ("include[]", "logprobs"))
    tokens = [token for event in deltas for token in event["logprobs"]]

    assert "".join(token["token"] for token in tokens) == TEXT
    assert done["logprobs"] == tokens


@promises("Streaming", "silence: an empty `done`")
def test_stream_of_silence(server: Server) -> None:
    done, end = stream(server, file=SILENCE)

    assert (done["text"], done["usage"]["total_tokens"], end) == ("", 50, "[DONE]")


@promises("Streaming", "what is wrong from the start is an error with its own status")
def test_stream_of_bad_audio(server: Server) -> None:
    answer = post(server, {"stream": "true"}, file=BROKEN / "text.mp3")

    assert error_of(answer, 400)["param"] == "file"


@promises("Streaming", "srt, vtt and verbose_json are refused: 400, `unsupported_value`")
@pytest.mark.parametrize("response_format", ["srt", "vtt", "verbose_json"])
def test_stream_of_other_formats(server: Server, response_format: str) -> None:
    fields = {"stream": "true", "response_format": response_format}
    error = error_of(post(server, fields), 400)

    assert (error["param"], error["code"]) == ("response_format", "unsupported_value")


@promises("Streaming", "a client that leaves in mid-stream disturbs nobody")
def test_stream_left_in_the_middle(server: Server) -> None:
    form = [*parts({"model": "base", "stream": "true"}, LONG.path)]
    url = f"{server.url}{TRANSCRIPTIONS}"
    for _ in range(3):
        with httpx.stream("POST", url, files=form, timeout=SECONDS) as answer:
            assert answer.status_code == 200

    assert stream(server)[-2]["text"] == TEXT
    assert "Traceback" not in server.printed
