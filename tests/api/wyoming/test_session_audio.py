"""Events of audio: none, silent, without a start, and split over packets."""

from __future__ import annotations

import asyncio
import json

import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from api.wyoming import framing
from tests.api.fake import FakeTranscriber
from tests.api.wyoming.talking import SOUND, TEXT, spoken, talking, types


@pytest.mark.parametrize("chunks", [[], [b""], [b"\x00"]])
def test_no_sound_is_no_text(chunks: list[bytes]) -> None:
    transcriber = FakeTranscriber()

    async def ask() -> list[Event]:
        async with talking(transcriber) as talk:
            sound = [AudioChunk(16000, 2, 1, chunk) for chunk in chunks]
            return await talk.answers(AudioStart(16000, 2, 1), *sound, AudioStop())

    assert asyncio.run(ask()) == [
        Event("transcript-start"),
        Event("transcript", {"text": ""}),
        Event("transcript-stop"),
    ]
    assert transcriber.calls == []


def test_silence_is_an_empty_text() -> None:
    async def ask() -> list[Event]:
        async with talking(FakeTranscriber(segments=())) as talk:
            return await talk.answers(*spoken())

    assert asyncio.run(ask()) == [
        Event("transcript-start"),
        Event("transcript", {"text": "", "language": "en"}),
        Event("transcript-stop"),
    ]


def test_audio_may_begin_with_a_chunk() -> None:
    transcriber = FakeTranscriber()

    async def ask() -> list[Event]:
        async with talking(transcriber) as talk:
            return await talk.answers(AudioChunk(48000, 4, 2, b"12345678"), AudioStop())

    assert types(asyncio.run(ask()))[-1] == "transcript-stop"
    [(file, _)] = transcriber.calls
    assert file[44:] == b"12345678"
    assert file[22:36] == bytes.fromhex("0200 80bb0000 00dc0500 0800 2000")


def test_headers_split_over_packets() -> None:
    sent = b"".join(
        framing.Event(e.type, e.data, e.payload or b"").to_bytes()
        for e in (each.event() for each in spoken(SOUND[:300]))
    )

    async def ask() -> bytes:
        async with talking() as talk, talk.raw() as (reader, writer):
            for at in range(0, len(sent), 5):
                writer.write(sent[at : at + 5])
                await writer.drain()
                await asyncio.sleep(0)
            return await reader.readuntil(b'"transcript-stop"}')

    assert json.dumps(TEXT).encode() in asyncio.run(ask())
