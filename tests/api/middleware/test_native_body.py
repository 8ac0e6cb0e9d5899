"""Tests of what is refused before BentoML takes it for its endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.middleware.native_body import MAX_TEXT_BYTES, NativeBody

BOUNDARY = "xXx"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
FILE = ('name="file"; filename="a.wav"', b"sound \r\n-- \xff")


async def reader(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads its body and, as BentoML does, answers 500 to what goes wrong there."""
    try:
        body = await Request(scope, receive).body()
        await PlainTextResponse(body)(scope, receive, send)
    except Exception:  # noqa: BLE001 - that is the point of it
        await PlainTextResponse("our fault", status_code=500)(scope, receive, send)


def form(*parts: tuple[str, bytes], end: str = f"--{BOUNDARY}--\r\n") -> bytes:
    """A body of these parts, each with what its disposition says."""
    heads = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; {part}\r\n\r\n" for part, _ in parts)
    pairs = zip(heads, parts, strict=True)
    return b"".join(head.encode() + data + b"\r\n" for head, (_, data) in pairs) + end.encode()


def refusal(body: bytes, content_type: str = FORM["content-type"]) -> dict[str, Any]:
    """The error of a request to a native endpoint."""
    headers = {"content-type": content_type} if content_type else {}
    answer = TestClient(NativeBody(reader)).post("/transcribe", content=body, headers=headers)
    assert answer.status_code == 400
    return dict(answer.json()["error"])


@pytest.mark.parametrize("path", ["/transcribe", "/translate"])
@pytest.mark.parametrize("fields", [[], [('name="model"', b"base"), ('name="prompt"', b"[1")]])
def test_form_with_a_file_is_passed_on(path: str, fields: list[tuple[str, bytes]]) -> None:
    body = form(*fields, FILE)
    answer = TestClient(NativeBody(reader)).post(path, content=body, headers=FORM)

    assert (answer.status_code, answer.content) == (200, body)


def test_form_in_pieces_is_passed_on() -> None:
    body = form(FILE, ('name="model"', b"base"))
    answer = TestClient(NativeBody(reader)).post(
        "/transcribe", content=(body[i : i + 1] for i in range(len(body))), headers=FORM
    )

    assert (answer.status_code, answer.content) == (200, body)


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/transcribed", "/"])
def test_other_paths_are_not_asked(path: str) -> None:
    app = TestClient(NativeBody(reader))

    assert app.post(path, content=b"{}").text == "{}"
    assert app.get("/transcribe").status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "application/vnd.bentoml+pickle",
        "text/plain",
    ],
)
def test_body_must_be_a_form(content_type: str) -> None:
    error = refusal(b'{"file": "http://127.0.0.1/a.wav"}', content_type)

    assert error["message"] == f"The body must be multipart/form-data, not {content_type!r}."


@pytest.mark.parametrize(
    ("parts", "message", "param"),
    [
        ([], "The field 'file' is missing: it must hold the audio.", "file"),
        (
            [('name="file"', b"http://127.0.0.1/a.wav")],
            "The field 'file' must be a file part with a file name.",
            "file",
        ),
        (
            [FILE, ('name="file"', b"http://127.0.0.1/a.wav")],
            "There must be one 'file', not several.",
            "file",
        ),
        (
            [FILE, ('name="model"; filename="m"', b"base")],
            "The field 'model' must be text, not a file.",
            "model",
        ),
        (
            [FILE, ('name="prompt"', b"[" * 100_000)],
            "The field 'prompt' has a number or brackets beyond all bounds.",
            "prompt",
        ),
        (
            [FILE, ('name="temperature"', b"1" * 10_000)],
            "The field 'temperature' has a number or brackets beyond all bounds.",
            "temperature",
        ),
    ],
)
def test_form_that_bentoml_would_fail_at(
    parts: Sequence[tuple[str, bytes]], message: str, param: str
) -> None:
    error = refusal(form(*parts))

    assert (error["message"], error["param"]) == (message, param)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (form(FILE, end=""), "it breaks off before its end."),
        (b"", "it breaks off before its end."),
        (b"{}", "its boundary does not come."),
        (f"--{BOUNDARY}\r\n=\r\n\r\n".encode(), "Invalid multipart data."),
        (form(("filename=x", b"")), "The Content-Disposition header field"),
        (form(*[('name="x"', b"")] * 129), "Too many fields. Maximum number of fields is 128."),
        (form(*[FILE] * 5), "Too many files. Maximum number of files is 4."),
        (form(('name="x"', bytes(MAX_TEXT_BYTES + 1))), "its fields have more than 1048576 bytes."),
        (form(*[('name="x"', bytes(2**19))] * 3), "its fields have more than 1048576 bytes."),
        (form((f'name="{"x" * 5000}"', b"")), "Invalid multipart data."),
    ],
)
def test_broken_and_excessive_forms(body: bytes, reason: str) -> None:
    message = str(refusal(body)["message"])

    assert message.startswith(f"The multipart body cannot be read: {reason}")


@pytest.mark.parametrize("boundary", ["", "; boundary=", f"; boundary={'x' * 300}"])
def test_boundary_must_be_sound(boundary: str) -> None:
    assert "cannot be read" in str(refusal(form(FILE), f"multipart/form-data{boundary}")["message"])


def test_client_that_goes_away_is_not_refused() -> None:
    messages = [{"type": "http.request", "body": form(FILE)[:20], "more_body": True}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", FORM["content-type"].encode())]
    scope = {"type": "http", "method": "POST", "path": "/transcribe", "headers": headers}
    asyncio.run(NativeBody(reader)(scope, receive, send))

    assert sent[0]["status"] == 500
