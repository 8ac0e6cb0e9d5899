"""A server whose answers are written down, each as another server might give it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
STREAM = "text/event-stream; charset=utf-8"
SAID = "Ask not what your country can do for you."
USAGE = {"type": "duration", "seconds": 3}
DONE_USAGE = {
    "type": "tokens",
    "total_tokens": 40,
    "input_tokens": 30,
    "input_token_details": {"text_tokens": 0, "audio_tokens": 30},
    "output_tokens": 10,
}


@dataclass(frozen=True)
class Scripted:
    """One answer."""

    body: str
    content_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def value(body: object, status: int = 200) -> Scripted:
    """A JSON answer."""
    return Scripted(json.dumps(body), status=status)


def error(status: int, code: str, param: str) -> dict[str, object]:
    """OpenAI's envelope."""
    return {
        "error": {
            "message": f"This is wrong: {status}",
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }
    }


def segment(number: int, start: float, end: float, text: str) -> dict[str, object]:
    return {
        "id": number,
        "seek": 0,
        "start": start,
        "end": end,
        "text": text,
        "tokens": [50364, 1, 2],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.01,
    }


def verbose() -> dict[str, Any]:
    return {
        "task": "transcribe",
        "language": "english",
        "duration": 3.0,
        "text": SAID,
        "segments": [
            segment(0, 0.0, 1.5, " Ask not what your country"),
            segment(1, 1.5, 3.0, " can do for you."),
        ],
        "usage": USAGE,
    }


def words(shift: float = 0.0, **more: object) -> list[dict[str, object]]:
    return [
        {"word": word.strip("."), "start": at / 3 + shift, "end": (at + 1) / 3 + shift, **more}
        for at, word in enumerate(SAID.split())
    ]


def events(*each: dict[str, object]) -> str:
    lines = [f"data: {json.dumps(event)}\n\n" for event in each]
    return "".join([": ping\n\n", *lines, "data: [DONE]\n\n"])


def delta(text: str) -> dict[str, object]:
    return {"type": "transcript.text.delta", "delta": text}


def done(usage: Mapping[str, object] = DONE_USAGE) -> dict[str, object]:
    return {"type": "transcript.text.done", "text": SAID, "usage": usage}


SRT = (
    "1\n00:00:00,000 --> 00:00:01,500\nAsk not what your country\n\n"
    "2\n00:00:01,500 --> 00:00:03,000\ncan do for you.\n\n\n"
)
VTT = (
    "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nAsk not what your country\n\n"
    "00:00:01.500 --> 00:00:03.000\ncan do for you.\n\n"
)


def answers() -> dict[str, Scripted]:
    """What a server without a fault answers to each call."""
    return {
        "json": value({"text": SAID, "usage": USAGE}),
        "text": Scripted(f"{SAID}\n", TEXT),
        "srt": Scripted(SRT, TEXT),
        "vtt": Scripted(VTT, TEXT),
        "verbose_json": value(verbose()),
        "words": value({**verbose(), "words": words()}),
        "stream": Scripted(events(delta(SAID[:25]), delta(SAID[25:]), done()), STREAM),
        "translation": value({"text": SAID}),
        "model": value(
            {"id": "whisper-1", "object": "model", "created": 1_700_000_000, "owned_by": "x"}
        ),
        "unknown-model": value(error(404, "model_not_found", "model"), 404),
        "unknown-format": value(error(400, "invalid_value", "response_format"), 400),
        "unreadable-file": value(error(400, "invalid_file", "file"), 400),
    }


@dataclass
class Seen:
    """A request as it arrived."""

    call: str
    url: str
    headers: Mapping[str, str]
    form: list[tuple[str, str]]
    file_name: str
    file: bytes


class ScriptedServer:
    """An ASGI app; it remembers what it was sent. `before` is run before each answer."""

    def __init__(
        self, script: Mapping[str, Scripted], before: Callable[[], Any] | None = None
    ) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self._before = before

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen = await _read(request)
        self.seen.append(seen)
        if self._before is not None:
            await self._before()
        told = self.script[seen.call]
        response = Response(
            told.body, told.status, {"content-type": told.content_type, **told.headers}
        )
        await response(scope, receive, send)


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers with a byte now and then, and never comes to an end."""

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    await StreamingResponse(body(), media_type=JSON)(scope, receive, send)


async def _read(request: Request) -> Seen:
    headers = dict(request.headers)
    if request.method == "GET":
        return Seen("model", str(request.url), headers, [], "", b"")
    async with request.form() as form:
        file = form["file"]
        assert not isinstance(file, str)
        fields = [(name, str(each)) for name, each in form.multi_items() if name != "file"]
        content = await file.read()
    call = _call(request.url.path, dict(fields), content)
    return Seen(call, str(request.url), headers, fields, file.filename or "", content)


def _call(path: str, fields: Mapping[str, str], content: bytes) -> str:
    if content.startswith(b"This is a letter"):
        return "unreadable-file"
    if path.endswith("/translations"):
        return "translation"
    told = fields.get("response_format", "json")
    named = {
        "no-such-model": (fields["model"], "unknown-model"),
        "no-such-format": (told, "unknown-format"),
        "true": (fields.get("stream"), "stream"),
    }
    for wanted, (got, name) in named.items():
        if got == wanted:
            return name
    return "words" if "timestamp_granularities[]" in fields else told
