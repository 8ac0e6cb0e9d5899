"""JSON bodies with base64: Open WebUI's option, Subtitle Edit and other clients of OpenRouter."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import httpx
import pytest

from tests.server import Server
from tests.wire.http import (
    CLIP,
    SECONDS,
    TEXT,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    connect,
    error_of,
    exchange,
)
from tests.wire.promises import promises
from tests.wire.test_asr_webservice import split

AREA: Final = "JSON bodies"
DATA = base64.b64encode(CLIP.read_bytes()).decode()
AUDIO = {"data": DATA, "format": "flac"}


def send(server: Server, path: str = TRANSCRIPTIONS, **members: Any) -> httpx.Response:
    """The answer to a body with the clip and these members."""
    body = {"model": "whisper-1", "input_audio": AUDIO, **members}
    return httpx.post(f"{server.url}{path}", json=body, timeout=SECONDS)


@promises(
    AREA,
    "Open WebUI with `api_request_format=json`: `model`, `input_audio`, `language`",
    "as there",
)
@pytest.mark.parametrize("language", [{}, {"language": "en"}])
def test_open_webui(server: Server, language: dict[str, str]) -> None:
    body = {"model": "whisper-1", "input_audio": AUDIO, **language}
    content = json.dumps(body).encode()
    # Its header without a key has nothing behind the space.
    lines = (
        f"POST {TRANSCRIPTIONS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        "Connection: close\r\n\r\n"
    )
    status, _, answer = split(exchange(server, lines.encode() + content))

    assert status == 200
    assert json.loads(answer) == {"text": TEXT, "usage": {"type": "duration", "seconds": 2}}


@promises(AREA, "Subtitle Edit, .NET and PHP: `+` and `/` of base64 written as escapes", "as there")
def test_subtitle_edit(server: Server) -> None:
    members = {"model": "openai/whisper-1", "input_audio": AUDIO, "temperature": 0}
    members |= {"response_format": "verbose_json"}
    members |= {"timestamp_granularities": ["segment", "word"]}
    members |= {"provider": {"options": {"openai": {}}}}
    body = json.dumps(members).replace("openai/whisper-1", "whisper-1")
    escaped = DATA.replace("+", "\\u002B").replace("/", "\\/")
    assert escaped != DATA
    content = body.replace(DATA, escaped).encode()
    lines = (
        f"POST {TRANSCRIPTIONS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n"
        "Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    status, _, answer = split(exchange(server, lines.encode() + content))
    told = json.loads(answer)

    assert status == 200
    assert told["segments"][0]["text"].strip() == TEXT
    assert [word["word"] for word in told["words"]] == TEXT.rstrip(".").split()


@promises(AREA, "every field of a form, as JSON has it; `data` also as a data URL", "extension")
def test_fields(server: Server) -> None:
    audio = {"data": f"data:audio/flac;base64,{DATA}"}
    answer = send(server, input_audio=audio, response_format="srt", prompt=None, language="en")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert TEXT in answer.text
    stream = send(server, stream=True)
    assert stream.text.endswith("data: [DONE]\n\n")


@promises(AREA, "translations as well", "extension")
def test_translations(server: Server) -> None:
    assert send(server, TRANSLATIONS).json()["text"].strip()


@promises(
    AREA, "what is wrong with the body, the base64 or the format: 400 with its name", "as there"
)
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"input_audio": None}, "'input_audio' is missing"),
        ({"input_audio": "x"}, "must be an object"),
        ({"input_audio": {"format": "wav"}}, "has no 'data'"),
        ({"input_audio": {"data": 1}}, "as a string of base64"),
        ({"input_audio": {"data": ""}}, "is empty"),
        ({"input_audio": {"data": "QUJD*", "format": "wav"}}, "is not base64"),
        ({"input_audio": {**AUDIO, "format": "pcm16"}}, "unknown format 'pcm16'"),
        ({"input_audio": {"data": "QUJD", "format": "wav"}}, "could not be decoded"),
    ],
)
def test_errors(server: Server, members: dict[str, Any], message: str) -> None:
    assert message in error_of(send(server, **members), 400)["message"]


@promises(AREA, "a body that is no JSON, or breaks off: 400", "as there")
@pytest.mark.parametrize("body", [b"", b"{", b'{"input_audio": {"data": "QUJD', b"model=base"])
def test_broken(server: Server, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = httpx.post(
        f"{server.url}{TRANSCRIPTIONS}", content=body, headers=headers, timeout=SECONDS
    )
    assert error_of(answer, 400)["message"].startswith("The JSON body cannot be read: ")


@promises(AREA, "the base64 counts against the limit of bodies: 413", "as there")
def test_too_large(guarded: Server) -> None:
    body = {"model": "whisper-1", "input_audio": {"data": "QUJD" * 300_000}}
    key = {"authorization": "Bearer another-key"}
    answer = httpx.post(f"{guarded.url}{TRANSCRIPTIONS}", json=body, headers=key, timeout=SECONDS)
    assert error_of(answer, 413)


@promises(AREA, "a client that leaves in mid-body is let go", "as there")
def test_client_that_leaves(server: Server) -> None:
    head = (
        f"POST {TRANSCRIPTIONS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        'Content-Length: 9000000\r\n\r\n{"model": "whisper-1", "input_audio": {"data": "'
    )
    with connect(server) as connection:
        connection.sendall(head.encode() + DATA.encode())
    assert send(server).json()["text"] == TEXT
