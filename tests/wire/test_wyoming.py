"""Wyoming, as Home Assistant speaks it: the official client against a server of `tiny.en`."""

from __future__ import annotations

import asyncio
from typing import Any

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from tests.wire.promises import promises
from tests.wire.wyoming_home import SECONDS, Home, spoken
from tests.wyoming_events import pcm, say, transcript_of, utterance


@promises("Wyoming", "`describe` is answered with models and languages", "as there")
def test_describe(home: Home) -> None:
    async def asked() -> Event | None:
        async with home.client() as client:
            await say(client, [Describe()])
            async with asyncio.timeout(SECONDS):
                return await client.read_event()

    event = asyncio.run(asked())
    assert event
    [program] = Info.from_event(event).asr
    assert (program.name, program.installed) == ("whisper-bento", True)
    assert program.supports_transcript_streaming
    assert [(model.name, model.languages) for model in program.models] == [("tiny.en", ["en"])]


@promises("Wyoming", "`ping` is answered; types that are not known are passed over", "as there")
def test_ping(home: Home) -> None:
    async def asked() -> list[Event | None]:
        async with home.client() as client:
            unknown = Event("voice-started", {"timestamp": 1}, b"payload")
            await say(client, [unknown, Event("select-program", {"name": "x"}), Ping("x"), Ping()])
            return [await client.read_event(), await client.read_event()]

    first, second = asyncio.run(asked())
    assert first
    assert Pong.from_event(first).text == "x"
    assert second == Event("pong")


@promises(
    "Wyoming",
    "`transcribe`, `audio-start`, `audio-chunk`s and `audio-stop` give a `transcript`, with the "
    "text that HTTP gives",
    "as there",
)
def test_transcript_is_that_of_http(home: Home, home_text: str) -> None:
    found = transcript_of(home.ask(*spoken(pcm())))

    assert (found.text, found.language) == (home_text, "en")


@promises(
    "Wyoming",
    "the text comes in `transcript-chunk`s between `transcript-start` and `transcript-stop`, too",
    "as there",
)
def test_streamed_transcript(home: Home, home_text: str) -> None:
    start, *chunks, transcript, stop = home.ask(*spoken(pcm() * 2))

    assert TranscriptStart.from_event(start).language == "en"
    parts = [TranscriptChunk.from_event(chunk).text for chunk in chunks]
    assert len(parts) > 1
    assert "".join(parts) == Transcript.from_event(transcript).text
    assert stop == Event("transcript-stop")


@promises(
    "Wyoming",
    "a client that reads `transcript` alone, as Home Assistant does, and hangs up",
    "as there",
)
def test_client_that_knows_no_streaming(home: Home, home_text: str) -> None:
    async def asked() -> str:
        async with home.client() as client:
            await say(client, spoken(pcm()))
            while event := await client.read_event():
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text
        raise AssertionError

    before = home.requests("ok")
    assert [asyncio.run(asked()) for _ in range(2)] == [home_text] * 2
    assert home.eventually(lambda: home.requests("ok") == before + 2)
    assert "Traceback" not in home.server.printed


@promises(
    "Wyoming",
    "`transcript_names` and `transcript_terms` are keywords; of too many the first are taken",
    "extension",
)
def test_names_and_terms(home: Home, home_text: str) -> None:
    names = [f"Living room lamp {number}" for number in range(500)]
    asked: dict[str, Any] = {"transcript_names": names, "transcript_terms": ["Americans"] * 500}

    assert transcript_of(home.ask(*utterance(pcm(), language="en", **asked))).text
