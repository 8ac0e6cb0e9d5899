"""Requests that a test holds in its hands, and what the server says of its work."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.server import Server
from tests.speech_clips import jfk
from tests.transcribing import recording

TRANSCRIPTIONS = "/v1/audio/transcriptions"
SECONDS = 300


@cache
def speech(seconds: int) -> bytes:
    """A FLAC file of the 11 s clip, over and over."""
    return recording(seconds).getvalue()


def clip() -> bytes:
    """The 11 s clip."""
    return jfk().path.read_bytes()


def post(
    server: Server, audio: bytes, headers: Mapping[str, str] | None = None, **fields: str
) -> httpx.Response:
    """The answer to a transcription."""
    files = {"file": ("a.flac", audio)}
    data = {"model": "whisper-1", **fields}
    return httpx.post(
        f"{server.url}{TRANSCRIPTIONS}", files=files, data=data, headers=headers, timeout=SECONDS
    )


def begin(server: Server, path: str, audio: bytes, **fields: str) -> socket.socket:
    """A request that has been sent whole; its answer is still to be read."""
    form = {"model": "whisper-1", **fields}
    request = httpx.Request(
        "POST", f"{server.url}{path}", files={"file": ("a.flac", audio)}, data=form
    )
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    head = "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""])
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=SECONDS)
    connection.sendall(head.encode() + request.read())
    return connection


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    """What comes, up to and with these bytes."""
    answer = b""
    while wanted not in answer:
        piece = connection.recv(65536)
        assert piece, answer
        answer += piece
    return answer


def health(server: Server) -> dict[str, Any]:
    """What /health says."""
    return dict(httpx.get(f"{server.url}/health", timeout=SECONDS).json())


def until(server: Server, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What /health says once it is so; fails when that does not come."""
    deadline = time.monotonic() + SECONDS
    while not is_so(said := health(server)):
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
    return said


def is_idle(said: Mapping[str, Any]) -> bool:
    """Whether nothing waits and nothing is worked on."""
    return bool(said["queue"] == {"running": 0, "waiting": 0, "seconds": 0})
