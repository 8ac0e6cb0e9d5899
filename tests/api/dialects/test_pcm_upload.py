"""Tests of samples without a header: what they become, how long they may be."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from api.app import create_app
from api.dialects.enabled import enabled
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.settings import Settings
from models.audio.container.headerless import HEAD_BYTES
from models.audio.container.length import estimated_seconds
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from models.units import MIB
from tests.api.fake import FakeTranscriber, client, served
from tests.speech_clips import FORMATS

RAW = "/asr?encode=false&output=srt"
BOUNDARY = b"a-boundary"
HEAD = (
    b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="audio_file"; '
    b'filename="audio_file"\r\n\r\n'
)
END = b"\r\n--" + BOUNDARY + b"--\r\n"
TYPE = {"content-type": "multipart/form-data; boundary=a-boundary"}


@dataclass
class Measuring(FakeTranscriber):
    """Notes how long a recording is, by its header, and reads none of it."""

    seconds: list[float] = field(default_factory=list)

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript."""
        self.seconds.append(estimated_seconds(audio))
        return await super().transcribe(io.BytesIO(), options, on_segment, stats)


def limited(transcriber: FakeTranscriber, **limits: int) -> TestClient:
    """A client of a server with these limits."""
    settings = Settings(**limits)
    dialects = enabled(settings)
    app = create_app("1.2.3", dialects=dialects)
    app.state.registry = served("base", transcriber=transcriber)
    return TestClient(MiddlewareStack(app, settings, Drain(0), dialects=dialects))


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    """A body with this content, in pieces of that size."""
    body = HEAD + content + END
    for start in range(0, len(body), size):
        yield body[start : start + size]


def received(content: bytes, path: str = RAW, size: int = 64 * 1024) -> bytes:
    """What the transcriber is given of this content."""
    transcriber = FakeTranscriber()
    answer = client(transcriber).post(path, content=in_pieces(content, size), headers=TYPE)
    assert answer.status_code == 200, answer.text
    return transcriber.calls[0][0]


def samples(seconds: float) -> bytes:
    """Samples of speech."""
    with wave.open(str(FORMATS / "jfk-16k.wav")) as clip:
        return bytes(clip.readframes(int(seconds * 16_000)))


@pytest.mark.parametrize("size", [1, 7, 1_000, 64 * 1024])
@pytest.mark.parametrize("seconds", [0.1, 1])
def test_samples_become_a_wav_file_however_they_come(size: int, seconds: float) -> None:
    content = samples(seconds)
    with wave.open(io.BytesIO(received(content, size=size))) as read:
        assert read.getparams()[:3] == (1, 2, 16_000)
        assert read.readframes(read.getnframes()) == content


def test_more_samples_than_lie_in_memory() -> None:
    content = samples(10) * 8
    assert len(content) > 2 * MIB
    with wave.open(io.BytesIO(received(content))) as read:
        assert read.readframes(read.getnframes()) == content


@pytest.mark.parametrize("name", ["jfk-16k.wav", "jfk.mp3", "jfk.m4a", "jfk.ogg"])
@pytest.mark.parametrize("size", [5, 64 * 1024])
def test_a_file_is_read_as_such_all_the_same(name: str, size: int) -> None:
    content = (FORMATS / name).read_bytes()[: 3 * HEAD_BYTES]
    assert received(content, size=size) == content


@pytest.mark.parametrize("path", ["/asr?encode=true", "/asr", "/asr?encode=false&encode=true"])
def test_without_the_field_nothing_is_added(path: str) -> None:
    assert received(samples(0.1), path) == samples(0.1)


def test_no_samples_at_all_are_a_wav_file_without_sound() -> None:
    assert len(received(b"")) == 44


def test_other_parts_are_left_alone() -> None:
    transcriber = FakeTranscriber()
    files = {"other": ("o", b"\x01\x02" * 100), "audio_file": ("a", samples(0.1))}
    answer = client(transcriber).post(RAW, files=files)
    assert answer.status_code == 200
    assert transcriber.calls[0][0][44:] == samples(0.1)


def an_hour() -> Iterator[bytes]:
    """A body of that length, made as it is sent."""
    yield HEAD
    piece = samples(2)
    for _ in range(1_800):
        yield piece
    yield END


def exchange(
    app: TestClient,
    path: str,
    pieces: Iterator[bytes],
    length: int,
    media_type: Mapping[str, str] = TYPE,
) -> list[Message]:
    """What is sent to a client that sends these pieces, and leaves if they are fewer than `length`.

    The test client would have the whole body in memory.
    """
    sent: list[Message] = []
    left = length

    async def receive() -> Message:
        nonlocal left
        piece = next(pieces, None)
        if piece is None and left <= 0:
            await asyncio.Event().wait()
        if piece is None:
            return {"type": "http.disconnect"}
        left -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": left > 0}

    async def send(message: Message) -> None:
        sent.append(message)

    bare, _, query = path.partition("?")
    headers = {**media_type, "content-length": str(length)}
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": bare,
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app.app(scope, receive, send))  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("path", [RAW, "/detect-language?encode=False"])
def test_an_hour_passes_the_limit_of_bodies_and_lies_on_the_disk(path: str) -> None:
    transcriber = Measuring()
    app = limited(transcriber, max_upload_mib=25)
    length = sum(map(len, an_hour()))
    tracemalloc.start()
    try:
        sent = exchange(app, path, an_hour(), length)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sent[0]["status"] == 200, sent
    assert length > 109 * MIB
    assert peak < 8 * MIB
    assert transcriber.seconds == ([3600.0] if path == RAW else [])


def test_samples_are_limited_by_their_seconds() -> None:
    app = limited(Measuring(), max_upload_mib=1, max_pcm_seconds=60)
    content = samples(10) * 6
    assert app.post(RAW, content=in_pieces(content, 64 * 1024), headers=TYPE).status_code == 200

    answer = app.post(RAW, content=in_pieces(content + samples(0.5), 64 * 1024), headers=TYPE)
    assert answer.status_code == 413
    assert answer.json()["detail"] == (
        "The recording is too long: samples without a header may last 60 seconds, "
        "and these do 60.5."
    )
    answer = app.post(RAW, content=in_pieces(content * 2, 64 * 1024), headers=TYPE)
    assert answer.status_code == 413
    assert "too large" in answer.json()["detail"]


def test_files_and_other_bodies_are_limited_by_their_bytes() -> None:
    app = limited(Measuring(), max_upload_mib=1, max_pcm_seconds=3_600)
    body = {"audio_file": ("a.wav", b"RIFF" + bytes(2 * MIB))}
    paths = (RAW, "/asr", "/asr?encode=true", "/asr?encode=false&encode=", "/detect-language")
    for path in paths:
        answer = app.post(path, files=body)
        assert answer.status_code == 413, path
        assert "its limit is 1048576 bytes" in answer.json()["detail"]
    other = app.post("/v1/audio/transcriptions?encode=false", files={"file": body["audio_file"]})
    assert other.status_code == 413
    assert "error" in other.json()


def test_no_limit_of_seconds_and_no_limit_of_bytes() -> None:
    content = samples(10) * 8
    for limits in ({"max_pcm_seconds": 0, "max_upload_mib": 1}, {"max_upload_mib": 0}):
        app = limited(Measuring(), **limits)
        assert app.post(RAW, content=in_pieces(content, 64 * 1024), headers=TYPE).is_success


def test_a_client_that_leaves_in_mid_body_is_let_go() -> None:
    transcriber = Measuring()
    pieces = iter([HEAD + samples(10) * 5])
    sent = exchange(limited(transcriber), RAW, pieces, 9_999_999)

    assert sent[0]["status"] == 499
    assert transcriber.seconds == []
