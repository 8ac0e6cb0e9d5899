"""Wyoming's events in Home Assistant's order, and the official client that exchanges them."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from typing import Any

from wyoming.asr import Transcribe, Transcript, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, Eventable

from tests.speech_clips import FORMATS

# Rate, bytes a sample, channels.
Kind = tuple[int, int, int]
KIND: Kind = (16000, 2, 1)
CHUNK_BYTES = 2048


def pcm() -> bytes:
    """Eleven seconds of English, in 16 kHz, two bytes, mono."""
    with wave.open(str(FORMATS / "jfk-16k.wav")) as file:
        return bytes(file.readframes(file.getnframes()))


def utterance(sound: bytes, kind: Kind = KIND, **asked: Any) -> list[Eventable]:
    """The events of an utterance, where `asked` are the fields of `transcribe`."""
    chunks = [sound[at : at + CHUNK_BYTES] for at in range(0, len(sound), CHUNK_BYTES)]
    return [
        Transcribe(**asked),
        AudioStart(*kind),
        *(AudioChunk(*kind, chunk) for chunk in chunks),
        AudioStop(),
    ]


async def say(client: AsyncTcpClient, events: Iterable[Eventable | Event]) -> None:
    """Send them, one after the other."""
    for each in events:
        await client.write_event(each if isinstance(each, Event) else each.event())


async def heard(client: AsyncTcpClient, *last: str) -> list[Event]:
    """The events up to one of these types, or a transcript's end, or that of the connection."""
    found: list[Event] = []
    while event := await client.read_event():
        found.append(event)
        if TranscriptStop.is_type(event.type) or event.type in last:
            break
    return found


def transcript_of(events: list[Event]) -> Transcript:
    """The one transcript among them."""
    [found] = [Transcript.from_event(each) for each in events if Transcript.is_type(each.type)]
    return found
