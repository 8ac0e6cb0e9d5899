"""Wyoming's refusals: malformed events and requests, each an error event and a close."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.promises import promises
from tests.wire.wyoming_home import Home, error_of
from tests.wyoming_events import CHUNK_BYTES, pcm, utterance


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"name": "nobody"}, "model_not_found", "The model 'nobody' does not exist"),
        ({"language": "klingon"}, "invalid_language_format", "the language is not known"),
    ],
)
@promises("Wyoming", "a failure is an `error` with text and code, and the end", "extension")
def test_what_cannot_be_served(home: Home, asked: dict[str, Any], code: str, words: str) -> None:
    error = error_of(home.ask(*utterance(pcm()[:CHUNK_BYTES], **asked)))

    assert error.code == code
    assert words in error.text


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"not JSON\n",
        b'{"type": "audio-chunk", "payload_length": 2147483648}\n',
        b'{"type": "audio-chunk", "data_length": 2147483648}\n',
        b"x" * 5_000_000,
        b'{"type": "ping", "data": ' + b"[" * 60_000 + b"\n",
    ],
    ids=["http", "text", "payload", "data", "line", "nested"],
)
@promises("Wyoming", "what is no event, or a longer one than is taken, is an `error`", "extension")
def test_broken_events(home: Home, sent: bytes) -> None:
    head, _, data = home.send(sent).partition(b"\n")

    assert json.loads(head)["type"] == "error"
    assert json.loads(data)["code"] == "invalid_event"
