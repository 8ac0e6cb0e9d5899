"""Requests as the SDKs would not send them, and as everybody does."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.server import Server
from tests.speech_clips import OWN_SPEECH

# 1.9 s of English.
CLIP = OWN_SPEECH / "clips" / "ljspeech" / "LJ001-0002.flac"
TEXT = "in being comparatively modern."
TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
SECONDS = 300

Fields = Mapping[str, str] | Sequence[tuple[str, str]]
Parts = list[tuple[str, tuple[str | None, bytes]]]


def parts(fields: Fields, file: Path | None = CLIP) -> Parts:
    """A form's parts, the file last, as OpenAI's Python SDK orders them."""
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    found: Parts = [(name, (None, value.encode())) for name, value in pairs]
    return found if file is None else [*found, ("file", (file.name, file.read_bytes()))]


def post(
    server: Server,
    fields: Fields = (),
    *,
    path: str = TRANSCRIPTIONS,
    file: Path | None = CLIP,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """The answer to a form with `model=whisper-1` and these fields, which come later."""
    form = [("model", (None, b"whisper-1")), *parts(fields, file)]
    return httpx.post(f"{server.url}{path}", files=form, headers=headers, timeout=SECONDS)


def text_of(server: Server, *fields: tuple[str, str]) -> str:
    """The text that a request with these fields gets."""
    answer = post(server, fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


def verbose(server: Server, *fields: tuple[str, str]) -> dict[str, Any]:
    """The verbose_json that a request with these fields gets."""
    answer = post(server, [("response_format", "verbose_json"), *fields])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The error in an envelope, which has OpenAI's four keys and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["message"]
    return dict(body["error"])


def connect(server: Server) -> socket.socket:
    """A bare connection to the server."""
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), timeout=SECONDS)


def exchange(server: Server, request: bytes) -> bytes:
    """What the server answers to these bytes before it closes the connection."""
    with connect(server) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer
