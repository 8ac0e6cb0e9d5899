"""Tests of the response formats."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from api.forms.parameters import Granularity, ResponseFormat
from api.responses.formats import answer
from models.text.transcript import Segment, Transcript, Word
from tests.api.fake import SEGMENTS, segment

TRANSCRIPT = Transcript("transcribe", "en", 3.7, SEGMENTS)
TRANSLATION = replace(TRANSCRIPT, task="translate", language="de")
SILENCE = Transcript("transcribe", "en", 2.0, ())
TEXT = "The naïve wind and the sun."
PLAIN = "text/plain; charset=utf-8"


def verbose(transcript: Transcript) -> dict[str, Any]:
    """The body of verbose_json, parsed."""
    parsed = json.loads(bytes(answer(transcript, "verbose_json").body))
    assert isinstance(parsed, dict)
    return parsed


def verbose_segment(source: Segment, end: float) -> dict[str, Any]:
    """A segment as verbose_json has it."""
    return {
        "id": source.id,
        "seek": 0,
        "start": source.start,
        "end": end,
        "text": source.text,
        "tokens": [50364, 440, 50464],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 1.5,
        "no_speech_prob": 0.125,
    }


def test_json() -> None:
    response = answer(TRANSCRIPT, "json")
    assert response.headers["content-type"] == "application/json"
    assert json.loads(bytes(response.body)) == {
        "text": TEXT,
        "usage": {"type": "duration", "seconds": 4},
    }


def test_json_translation_has_only_text() -> None:
    assert json.loads(bytes(answer(TRANSLATION, "json").body)) == {"text": TEXT}


@pytest.mark.parametrize(("duration", "seconds"), [(3.0, 3), (3.0000625, 4), (0.0, 0)])
def test_json_usage_rounds_up(duration: float, seconds: int) -> None:
    response = answer(replace(SILENCE, duration=duration), "json")
    usage = {"type": "duration", "seconds": seconds}
    assert json.loads(bytes(response.body)) == {"text": "", "usage": usage}


def test_verbose_json() -> None:
    response = answer(TRANSCRIPT, "verbose_json")
    assert response.headers["content-type"] == "application/json"
    assert json.loads(bytes(response.body)) == {
        "task": "transcribe",
        "language": "english",
        "duration": 3.7,
        "text": TEXT,
        # the last segment's 3.9 s lie beyond the recording
        "segments": [verbose_segment(SEGMENTS[0], 2.0), verbose_segment(SEGMENTS[1], 3.7)],
        "usage": {"type": "duration", "seconds": 4},
    }


def test_verbose_json_translation() -> None:
    parsed = verbose(TRANSLATION)
    assert list(parsed) == ["task", "language", "duration", "text", "segments"]
    assert parsed["task"] == "translate"
    assert parsed["language"] == "english"


def test_verbose_json_language_name() -> None:
    assert verbose(replace(TRANSCRIPT, language="ht"))["language"] == "haitian creole"


@pytest.mark.parametrize(
    ("score", "written"),
    [(math.nan, 0.0), (-math.inf, -1.7976931348623157e308), (math.inf, 1.7976931348623157e308)],
)
def test_verbose_json_scores_are_finite(score: float, written: float) -> None:
    odd = replace(SEGMENTS[0], avg_logprob=score, compression_ratio=score, no_speech_prob=score)
    [segment] = verbose(replace(TRANSCRIPT, segments=(odd,)))["segments"]
    assert segment["avg_logprob"] == written
    assert segment["compression_ratio"] == written
    assert segment["no_speech_prob"] == written


def test_text() -> None:
    response = answer(TRANSCRIPT, "text")
    assert response.headers["content-type"] == PLAIN
    assert bytes(response.body).decode() == TEXT + "\n"


def test_text_silence() -> None:
    assert answer(SILENCE, "text").body == b"\n"


def test_srt() -> None:
    response = answer(TRANSCRIPT, "srt")
    assert response.headers["content-type"] == PLAIN
    assert bytes(response.body).decode() == (
        "1\n00:00:00,000 --> 00:00:02,000\nThe naïve wind and\n\n"
        "2\n00:00:02,000 --> 00:00:03,700\nthe sun.\n\n"
    )


def test_srt_silence() -> None:
    assert answer(SILENCE, "srt").body == b""


def test_vtt() -> None:
    response = answer(TRANSCRIPT, "vtt")
    assert response.headers["content-type"] == PLAIN
    assert bytes(response.body).decode() == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:02.000\nThe naïve wind and\n\n"
        "00:00:02.000 --> 00:00:03.700\nthe sun.\n\n"
    )


def test_vtt_silence() -> None:
    assert answer(SILENCE, "vtt").body == b"WEBVTT\n\n"


def test_verbose_json_segment_beyond_the_end() -> None:
    late = replace(SEGMENTS[0], start=4.0, end=4.5)
    [segment] = verbose(replace(TRANSCRIPT, segments=(late,)))["segments"]
    assert (segment["start"], segment["end"]) == (3.7, 3.7)


WORDS = (
    Word(" “Well,", 0.0, 0.4, 0.9),
    Word(" (hm)", 0.4, 0.9, 0.5),
    Word(" ...", 1.0, 2.0, 0.1),
    Word(" end.", 3.0, 9.0, 0.1),
)


def timed_transcript() -> Transcript:
    timed = replace(segment(0, 0.0, 9.0, " “Well, (hm) ... end."), words=WORDS)
    return Transcript("transcribe", "en", 3.7, (timed,))


@pytest.mark.parametrize(
    ("granularities", "keys"),
    [
        ((), {"segments"}),
        (("segment",), {"segments"}),
        (("word",), {"words"}),
        (("word", "segment"), {"segments", "words"}),
    ],
)
def test_verbose_json_has_what_was_asked_for(
    granularities: tuple[Granularity, ...], keys: set[str]
) -> None:
    response = answer(timed_transcript(), "verbose_json", granularities=granularities)
    body = json.loads(bytes(response.body))
    assert body.keys() & {"segments", "words"} == keys


def test_verbose_json_words_are_bare_and_within_the_recording() -> None:
    body = bytes(answer(timed_transcript(), "verbose_json", granularities=["word"]).body)
    assert json.loads(body)["words"] == [
        {"word": "Well", "start": 0.0, "end": 0.4},
        {"word": "hm", "start": 0.4, "end": 0.9},
        {"word": "end", "start": 3.0, "end": 3.7},
    ]


def test_verbose_json_segment_says_what_is_in_doubt_and_another_language() -> None:
    doubtful = replace(segment(0, 0.0, 1.0, " Hm"), flags=("low_logprob",), language="de")
    plain = replace(segment(1, 1.0, 2.0, " Yes"), language="en")
    transcript = Transcript("transcribe", "en", 3.7, (doubtful, plain))
    first, second = verbose(transcript)["segments"]
    assert (first["flags"], first["language"]) == (["low_logprob"], "german")
    assert second.keys() & {"flags", "language"} == set()


def test_srt_segment_beyond_the_end() -> None:
    late = replace(SEGMENTS[0], start=4.0, end=4.5)
    assert bytes(answer(replace(TRANSCRIPT, segments=(late,)), "srt").body).decode() == (
        "1\n00:00:03,200 --> 00:00:03,700\nThe naïve wind and\n\n"
    )


@pytest.mark.parametrize("response_format", ["json", "text", "srt", "vtt", "verbose_json"])
def test_every_format_tells_why_text_is_in_doubt(response_format: ResponseFormat) -> None:
    first, second = SEGMENTS
    doubtful = replace(first, flags=("repetition", "low_logprob"))
    more = replace(second, flags=("repetition",))
    response = answer(replace(TRANSCRIPT, segments=(doubtful, more)), response_format)
    assert response.headers["x-whisper-flags"] == "low_logprob, repetition"
    assert "x-whisper-flags" not in answer(TRANSCRIPT, response_format).headers
