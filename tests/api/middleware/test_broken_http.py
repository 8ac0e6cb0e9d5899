"""Bytes that are no HTTP are answered in the envelope, once, and close the connection."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.dialects.whisper_cpp import WhisperCpp
from api.middleware.timed_headers import TimedHeaders
from api.request_context import context_of

LENGTH = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: "
CHUNKED = b" / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
BAD_CHUNK = b"no number\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers the body; at `/early` before it has come."""
    if scope["path"] == "/early":
        pieces = StreamingResponse(endless(), media_type="text/plain")
        await pieces(scope, receive, send)
        return
    if scope["path"] == "/inference":
        context_of(scope).dialect = WhisperCpp()
    with suppress(ClientDisconnect):
        body = await Request(scope, receive).body()
        await PlainTextResponse(body)(scope, receive, send)


async def endless() -> AsyncIterator[bytes]:
    """A part of an answer, and no more."""
    yield b"a part"
    await asyncio.Event().wait()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server of `app`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=TimedHeaders, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        server.force_exit = server.should_exit = True
        thread.join(120)


def answer_to(port: int, *pieces: bytes) -> bytes:
    """All that is answered until the connection is closed; each piece is heard before the next."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as made:
        for piece in pieces[:-1]:
            made.sendall(piece)
            answer += made.recv(65536)
        made.sendall(pieces[-1])
        while received := made.recv(65536):
            answer += received
    return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        LENGTH + b"abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"x" * 20_000,
        b"POST" + CHUNKED + BAD_CHUNK,
        b"HEAD" + CHUNKED + BAD_CHUNK,
    ],
    ids=["line", "host", "length", "encoding", "large", "chunk", "chunk of a HEAD"],
)
def test_what_is_no_http(port: int, request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
    head, _, body = answer_to(port, request_bytes).partition(b"\r\n\r\n")

    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert headers["content-length"] == str(len(body))
    assert re.fullmatch("req_[0-9a-f]{32}", headers["x-request-id"])
    assert json.loads(body)["error"] == {
        "message": "Invalid HTTP request received.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert f"Request {headers['x-request-id']} could not be read" in caplog.messages
    assert not [record for record in caplog.records if record.exc_info]


def test_after_an_answer(port: int) -> None:
    sound = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    answer = answer_to(port, sound, b"nonsense\r\n\r\n")

    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"400"]


def test_within_an_answer(port: int, caplog: pytest.LogCaptureFixture) -> None:
    answer = answer_to(port, CHUNKED.replace(b" /", b"POST /early"), BAD_CHUNK)

    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 200")
    assert not [record for record in caplog.records if record.exc_info]


def test_a_body_that_breaks_is_answered_in_the_dialect_of_its_request(port: int) -> None:
    begun = b"POST" + CHUNKED.replace(b" / ", b" /inference ")
    # The app asks for the body, and has seen the path by then.
    waiting = begun.replace(b"\r\n\r\n5\r\nhello\r\n", b"\r\nexpect: 100-continue\r\n\r\n")
    first, head, body = answer_to(port, waiting, BAD_CHUNK).split(b"\r\n\r\n")

    assert first.startswith(b"HTTP/1.1 100 ")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert isinstance(json.loads(body)["error"], str)
