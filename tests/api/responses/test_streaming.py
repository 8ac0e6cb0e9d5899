"""Tests of transcriptions as server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api.responses import streaming
from api.responses.streaming import Deltas, Progress
from models.capacity.admission import Admission
from models.errors import DecodingError
from tests.api.fake import (
    SEGMENTS,
    TRANSCRIPTIONS,
    BreakingTranscriber,
    EndlessTranscriber,
    FakeTranscriber,
    client,
)
from tests.api.middleware.test_disconnect import BODY, Connection, Stalled

TEXT = "The naïve wind and the sun."
STREAMED = BODY.replace(
    b"--b\r\n", b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--b\r\n', 1
)


def post(transcriber: Any = None, **fields: str) -> Any:
    data = {"model": "base", "stream": "true", **fields}
    return client(transcriber).post(TRANSCRIPTIONS, data=data, files={"file": ("a.wav", b"x")})


def blocks(text: str) -> list[str]:
    """The events' data; what follows the last empty line must be nothing."""
    *found, rest = text.split("\n\n")
    assert rest == ""
    return [block.removeprefix("data: ") for block in found]


def usage(tokens: int) -> dict[str, Any]:
    """What 3.7 seconds and so many decoded tokens are billed by."""
    return {
        "type": "tokens",
        "total_tokens": 37 + tokens,
        "input_tokens": 37,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 37},
        "output_tokens": tokens,
    }


@pytest.mark.parametrize("response_format", ["json", "text"])
def test_stream_events(response_format: str) -> None:
    response = post(response_format=response_format)

    *events, done, end = blocks(response.text)
    assert [json.loads(event) for event in events] == [
        {"type": "transcript.text.delta", "delta": "The naïve wind and"},
        {"type": "transcript.text.delta", "delta": " the sun."},
    ]
    assert json.loads(done) == {"type": "transcript.text.done", "text": TEXT, "usage": usage(6)}
    assert end == "[DONE]"


def test_stream_headers() -> None:
    headers = post().headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert "content-length" not in headers
    assert headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("response_format", ["srt", "vtt", "verbose_json"])
def test_stream_of_a_format_that_is_whole_or_nothing(response_format: str) -> None:
    response = post(response_format=response_format)

    assert response.status_code == 400
    assert response.json()["error"] == {
        "message": f"stream needs response_format json or text, not {response_format}",
        "type": "invalid_request_error",
        "param": "response_format",
        "code": "unsupported_value",
    }


def test_stream_silence_is_an_empty_text() -> None:
    response = post(FakeTranscriber(segments=()))

    done, end = blocks(response.text)
    assert json.loads(done) == {"type": "transcript.text.done", "text": "", "usage": usage(0)}
    assert end == "[DONE]"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DecodingError("Failed."), "Failed."),
        (
            ValueError("secret"),
            "The server had an internal error while it processed the request.",
        ),
    ],
)
def test_stream_failing_in_the_middle(error: Exception, message: str) -> None:
    response = post(BreakingTranscriber(error=error))

    _, last = blocks(response.text)
    wanted = {"message": message, "type": "server_error", "param": None, "code": None}
    assert response.status_code == 200
    assert json.loads(last) == {"error": wanted}


def test_stream_that_nobody_reads_holds_no_place_when_its_work_is_done() -> None:
    async def scenario() -> None:
        admission = Admission(3600, slots=8)
        connection = Stalled(FakeTranscriber(), admission)
        answering = connection.run()
        connection.put(STREAMED)
        await asyncio.wait_for(connection.has_stalled.wait(), 120)
        assert (admission.cancelled, admission.held) == (0, 0)
        assert not answering.done()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)

    asyncio.run(scenario())


def test_stream_that_fails_holds_no_place() -> None:
    async def scenario() -> None:
        admission = Admission(3600, slots=8)
        connection = Connection(BreakingTranscriber(error=DecodingError("Failed.")), admission)
        answering = connection.run()
        connection.put(STREAMED)
        await asyncio.wait_for(answering, 120)
        assert b"Failed." in b"".join(message.get("body", b"") for message in connection.sent)
        assert (admission.cancelled, admission.held) == (0, 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("turns", range(6))
def test_cancelled_reader_of_the_progress_ends_whatever_comes_meanwhile(turns: int) -> None:
    async def read(progress: Progress) -> None:
        async for _ in progress:
            pass

    async def scenario() -> None:
        progress = Progress()
        reading = asyncio.create_task(read(progress))
        await asyncio.sleep(0.01)
        progress.add(SEGMENTS[0])
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading], timeout=1)
        assert reading.cancelled()

    asyncio.run(scenario())


def test_stream_keeps_the_connection_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(streaming, "KEEP_ALIVE_SECONDS", 0.01)

    async def scenario() -> None:
        transcriber = EndlessTranscriber()
        connection = Connection(transcriber)
        answering = connection.run()
        await connection.incoming.put({"type": "http.request", "body": STREAMED})
        while len(connection.sent) < 2:
            await asyncio.wait_for(connection.has_sent.wait(), 120)
            connection.has_sent.clear()
        await connection.incoming.put({"type": "http.disconnect"})
        await asyncio.wait_for(answering, 120)

        assert connection.sent[0]["status"] == 200
        assert connection.sent[1]["body"] == b": keep-alive\n\n"
        assert transcriber.cancelled.is_set()

    asyncio.run(scenario())


def test_deltas_join_to_the_text() -> None:
    texts = [" ", " One ", "", " two", "  "]
    deltas = Deltas()

    parts = [deltas.of(text) for text in texts]
    assert "".join(parts) == "".join(texts).strip()
    assert parts == ["", "One", "", "  two", ""]
