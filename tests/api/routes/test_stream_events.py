"""Tests of events that a stream has beside its text."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from api.routes import transcriptions
from models.capacity.admission import Admission
from models.request_stats import RequestStats
from models.text.transcript import Word
from tests.api.fake import (
    SEGMENTS,
    TRANSCRIPTIONS,
    EndlessTranscriber,
    FakeTranscriber,
    client,
    segment,
)
from tests.api.middleware.test_disconnect import BODY, Connection, Stalled
from tests.wire.promises import promises

WORDS = (Word(" the", 2.0, 2.5, 0.5), Word(" sun.", 2.5, 3.9, 0.25))
SPOKEN = (
    replace(SEGMENTS[0], language="de", flags=("repetition",)),
    replace(SEGMENTS[1], words=WORDS),
)
SEGMENT = ("stream_events[]", "segment")
STREAM = ("stream", "true")
EVENTS = "'segment', 'progress', 'peaks' or 'verbose_json'"


def post(*fields: tuple[str, str], transcriber: Any = None) -> Any:
    data: dict[str, Any] = {"model": "base", **dict(fields)}
    files = {"file": ("a.wav", b"x")}
    return client(transcriber or FakeTranscriber(SPOKEN)).post(
        TRANSCRIPTIONS, data=data, files=files
    )


def events(answer: Any) -> list[dict[str, Any]]:
    """The events before `[DONE]`."""
    *found, end, rest = answer.text.split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in found]


def shown(number: int, **more: object) -> dict[str, Any]:
    """A segment's event, but for its language and flags."""
    told = SPOKEN[number]
    event = {"type": "transcript.text.segment", "id": str(number), "speaker": ""}
    times = {"start": told.start, "end": min(told.end, 3.7)}
    return {**event, **times, "text": told.text, "avg_logprob": -0.25, **more}


@promises(
    "Streaming",
    "`stream_events[]=segment`: `transcript.text.segment` behind each delta, with words if asked",
    "extension",
)
def test_segments() -> None:
    words = [
        {"word": "the", "start": 2.0, "end": 2.5, "probability": 0.5},
        {"word": "sun", "start": 2.5, "end": 3.7, "probability": 0.25},
    ]
    asked = ("timestamp_granularities[]", "word")
    transcriber = FakeTranscriber(SPOKEN)

    first, one, second, two, done = events(post(STREAM, SEGMENT, asked, transcriber=transcriber))

    assert [first["delta"], second["delta"]] == ["The naïve wind and", " the sun."]
    assert one == shown(0, language="german", flags=["repetition"])
    assert two == shown(1, words=words)
    assert done["type"] == "transcript.text.done"
    [(_, options)] = transcriber.calls
    assert options.word_timestamps


def test_default_stream_is_the_same_without_them() -> None:
    with_segments = events(post(STREAM, SEGMENT))
    kept = [each for each in with_segments if each["type"] != "transcript.text.segment"]

    assert len(with_segments) == len(kept) + 2
    assert kept == events(post(STREAM))


def test_segment_without_text_has_no_event() -> None:
    silent = FakeTranscriber((segment(0, 0.0, 1.0, ""), segment(1, 1.0, 2.0, " Hi.")))

    found = events(post(STREAM, SEGMENT, transcriber=silent))
    assert [each.get("id") for each in found] == [None, "1", None]


class Waiting(FakeTranscriber):
    """Ends only when its stream has been told of progress, and shows a part of it before."""

    async def work(self, number: int, stats: RequestStats | None) -> None:
        """A second is done with the first segment."""
        assert stats
        stats.done_seconds = 1.0
        if number:
            await asyncio.sleep(0.1)


@promises(
    "Streaming",
    "`stream_events[]=progress`: `transcription.progress` every second, by audio that is done",
    "extension",
)
def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcriptions, "PROGRESS_SECONDS", 0.01)
    found = events(post(STREAM, ("stream_events[]", "progress"), transcriber=Waiting(SPOKEN)))

    kinds = [each["type"].rpartition(".")[2] for each in found]
    assert kinds[:3] == ["progress", "delta", "progress"]
    assert (kinds.count("delta"), kinds[-1]) == (2, "done")
    for each in (each for each in found if each["type"] == "transcription.progress"):
        assert (each["phase"], each["position"], each["audio_seconds_done"]) == ("working", 0, 1.0)
        assert each["seconds_left"] >= 0


def test_progress_in_the_queue() -> None:
    async def scenario() -> None:
        admission = Admission(3600, slots=1)
        running = [EndlessTranscriber(), EndlessTranscriber()]
        answering = []
        for transcriber in running:
            connection = Connection(transcriber, admission)
            answering.append(connection.run())
            connection.put(BODY)
            await transcriber.started.wait()
        waiting = Stalled(FakeTranscriber(), admission)
        answering.append(waiting.run())
        waiting.put(_with(BODY, (b"stream", b"true"), (b"stream_events", b"progress")))
        await waiting.has_stalled.wait()
        event = json.loads(waiting.sent[1]["body"].removeprefix(b"data: "))
        assert (event["phase"], event["position"], event["audio_seconds_done"]) == ("queued", 1, 0)
        assert event["seconds_left"] > 0
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    asyncio.run(asyncio.wait_for(scenario(), 120))


def _with(body: bytes, *fields: tuple[bytes, bytes]) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return b"".join(head % field for field in fields) + body


class Reading(FakeTranscriber):
    """Reads a second of full scale and half of one of silence."""

    async def work(self, number: int, stats: RequestStats | None) -> None:
        """All is read with the first segment."""
        assert stats
        assert stats.on_samples
        if number == 0:
            stats.on_samples(0, np.ones(16_000, np.float32))
            stats.on_samples(16_000, np.zeros(8_000, np.float32))


@promises(
    "Streaming",
    "`stream_events[]=peaks`: `transcription.peaks`, the waveform, at the end",
    "extension",
)
def test_peaks() -> None:
    *_, peaks, done = events(post(STREAM, ("stream_events[]", "peaks"), transcriber=Reading()))

    assert done["type"] == "transcript.text.done"
    assert (peaks["type"], peaks["per_second"]) == ("transcription.peaks", 20)
    assert base64.b64decode(peaks["data"]) == bytes([127, 127] * 20 + [0, 0] * 10)


@promises(
    "Streaming",
    "`stream_events[]=verbose_json`: `transcription.verbose_json`, all that that format has",
    "extension",
)
@pytest.mark.parametrize("shown", ["", "segment,word"])
def test_verbose_json(shown: str) -> None:
    asked = ("timestamp_granularities[]", shown)
    answer = post(STREAM, ("stream_events[]", "verbose_json"), asked)
    *_, whole, done = events(answer)

    assert done["type"] == "transcript.text.done"
    assert whole["type"] == "transcription.verbose_json"
    format_ = ("response_format", "verbose_json")
    told = post(format_, asked).text
    assert whole["transcript"] == json.loads(told)
    assert ("words" in whole["transcript"]) == bool(shown)
    # To the byte, so that a program may keep it as that format's answer.
    assert f'"transcript":{told}}}\n\n' in answer.text


@promises("Errors", "`stream_events[]` that is unknown or without `stream`: 400", "extension")
@pytest.mark.parametrize(
    ("fields", "message", "code"),
    [
        ((SEGMENT,), "stream_events need stream=true", "unsupported_value"),
        (
            (STREAM, ("stream_events[]", "noise")),
            f"stream_events='noise': Input should be {EVENTS}",
            "invalid_value",
        ),
    ],
)
def test_refusals(fields: tuple[tuple[str, str], ...], message: str, code: str) -> None:
    answer = post(*fields)

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": message,
        "type": "invalid_request_error",
        "param": "stream_events",
        "code": code,
    }


def test_words_of_a_stream_without_segments() -> None:
    answer = post(STREAM, ("timestamp_granularities[]", "word"))

    assert answer.json()["error"]["param"] == "timestamp_granularities"
