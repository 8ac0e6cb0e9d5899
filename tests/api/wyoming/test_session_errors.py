"""Mistakes and failures: an error event that names them, and the end of the connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from models.errors import AudioError, DecodingError, OverloadedError
from tests.api.fake import FailingTranscriber
from tests.api.wyoming.talking import SOUND, error_of, spoken, talking


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        (spoken(name="nobody"), "model_not_found", "The model 'nobody' does not exist"),
        (spoken(name=5), "invalid_value", "model=5: Input should be a valid string"),
        (
            spoken(language="klingon"),
            "invalid_language_format",
            "language='klingon': the language is not known; give a code such as en",
        ),
        (
            [Event("transcribe", {"transcript_names": "Ada"})],
            "invalid_value",
            "transcript_names and transcript_terms must be lists of text.",
        ),
        (
            [Event("transcribe", {"transcript_names": [1]})],
            "invalid_value",
            "keywords=1: Input should be a valid string",
        ),
        ([AudioStop()], "out_of_order", "audio-stop came without audio-start."),
        (
            [AudioStart(16000, 2, 1), AudioStart(16000, 2, 1)],
            "out_of_order",
            "audio-start came before the audio-stop of what went before.",
        ),
        (
            [AudioStart(16000, 2, 1), AudioChunk(16000, 2, 2, SOUND)],
            "out_of_order",
            "The audio has another format than at its start.",
        ),
        (
            [AudioStart(16000, 5, 1)],
            "invalid_value",
            "The audio's width must be a whole number from 1 to 4.",
        ),
    ],
)
def test_mistake_is_named_and_the_connection_closed(sent: Any, code: str, text: str) -> None:
    error, _ = error_of(*sent)

    assert error.data == {"text": text, "code": code}


def test_too_long_an_utterance() -> None:
    error, talk = error_of(*spoken(SOUND * 3), max_seconds=1)

    assert error.data["code"] == "audio_too_long"
    assert [observed.status for observed in talk.observed] == [400]


@pytest.mark.parametrize(
    ("error", "code", "text", "outcome"),
    [
        (AudioError("The file is odd."), "invalid_request_error", "The file is odd.", "invalid"),
        (OverloadedError("Full.", 3), "overloaded", "Full.", "refused"),
        (DecodingError("It failed."), "server_error", "It failed.", "failed"),
        (
            ZeroDivisionError("secret"),
            "server_error",
            "The server had an internal error while it processed the request.",
            "failed",
        ),
    ],
)
def test_failure_is_an_error_without_details(
    error: Exception, code: str, text: str, outcome: str
) -> None:
    said, talk = error_of(*spoken(), transcriber=FailingTranscriber(error))

    assert said.data == {"text": text, "code": code}
    assert [observed.outcome for observed in talk.observed] == [outcome]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"x" * 10_000_000,
        b'{"type": "audio-chunk", "payload_length": 2147483648}\n' + b"x" * 10_000_000,
        b'{"type": "describe", "data_length": 9999999}\n' + b"x" * 10_000_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10_000,
    ],
    ids=["http", "line", "payload", "data", "tls"],
)
def test_what_is_no_wyoming_hears_why_though_it_goes_on_sending(sent: bytes) -> None:
    async def ask() -> bytes:
        async with talking() as talk, talk.raw(sent) as (reader, _):
            return await reader.read()

    line, _, data = asyncio.run(ask()).partition(b"\n")
    assert json.loads(line)["type"] == "error"
    assert json.loads(data)["code"] == "invalid_event"


def test_mistake_before_the_models_are_loaded_is_told_at_once() -> None:
    error, talk = error_of(*spoken(SOUND * 3), max_seconds=1, begun=False)

    assert error.data["code"] == "audio_too_long"
    assert talk.observed == []
