"""Tests of word probabilities in verbose_json."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.text.transcript import Word
from tests.api.fake import SEGMENTS, TRANSCRIPTIONS, FakeTranscriber, client
from tests.wire.promises import promises

WORDS = (Word(" The", 0.0, 0.5, 0.75), Word(" sun.", 1.0, 4.0, float("nan")))
WORD, PROBABILITY = ("timestamp_granularities[]", "word"), ("include[]", "word_probability")
VERBOSE = ("response_format", "verbose_json")


def post(*fields: tuple[str, str]) -> Any:
    transcriber = FakeTranscriber((replace(SEGMENTS[0], words=WORDS),))
    data: dict[str, Any] = {"model": "base", **dict(fields)}
    return client(transcriber).post(TRANSCRIPTIONS, data=data, files={"file": ("a.wav", b"x")})


@promises(
    "Responses",
    "`include[]=word_probability`: how probable each word is, in verbose_json with words",
    "extension",
)
def test_word_probability() -> None:
    words = post(VERBOSE, WORD, PROBABILITY).json()["words"]

    assert words == [
        {"word": "The", "start": 0.0, "end": 0.5, "probability": 0.75},
        {"word": "sun", "start": 1.0, "end": 3.7, "probability": 0.0},
    ]


def test_words_have_no_probability_unless_asked() -> None:
    assert [set(word) for word in post(VERBOSE, WORD).json()["words"]] == [
        {"word", "start", "end"},
        {"word", "start", "end"},
    ]


@promises("Errors", "`include[]=word_probability` without word timestamps: 400", "extension")
@pytest.mark.parametrize("fields", [(), (VERBOSE,), (("response_format", "srt"),)])
def test_word_probability_without_words(fields: tuple[tuple[str, str], ...]) -> None:
    answer = post(PROBABILITY, *fields)

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": "include=['word_probability']: probabilities of words need "
        "timestamp_granularities word",
        "type": "invalid_request_error",
        "param": "include",
        "code": "unsupported_value",
    }
