"""pipecat's `OpenAIRealtimeSTTService`, by what it sends.

It is not installed: it would hold protobuf back at a release that is older than the server's. The
events are those that pipecat-ai 1.14.0 makes in `pipecat/services/openai/stt.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.server import Server
from tests.wire.http import CLIP, TEXT
from tests.wire.promises import promises
from tests.wire.realtime_client import (
    COMMIT,
    COMPLETED,
    DELTA,
    Client,
    appends,
    pcm,
    silence,
    talking,
    update_input,
)

PIPECAT = "pipecat's `OpenAIRealtimeSTTService`, by its events"
FORMAT = {"type": "audio/pcm", "rate": 24000}
# It takes the microphone's frames of 20 ms as they come.
FRAME = 960
SPEED = 4


@contextmanager
def pipeline(server: Server, **changes: object) -> Iterator[Client]:
    """A client that updates its session as soon as that is created, and hears that it is."""
    headers = {"Authorization": "Bearer unused"}
    with talking(server, "?intent=transcription", headers=headers) as client:
        assert client.hear()["type"] == "session.created"
        client.say(update_input(format=FORMAT, **changes))
        assert client.hear()["type"] == "session.updated"
        yield client


def transcription(model: str) -> Mapping[str, str]:
    """What it asks for by default."""
    return {"model": model, "language": "en"}


def stream(client: Client, audio: bytes) -> None:
    """Append frames, faster than they are spoken."""
    for event in appends(audio, FRAME):
        client.say(event)
        time.sleep(0.02 / SPEED)


@promises("Clients", f"{PIPECAT}: turns that its VAD commits, in a stream with pauses")
def test_turns_by_its_own_vad(server: Server) -> None:
    asked = {"turn_detection": None, "transcription": transcription("gpt-realtime-whisper")}
    with pipeline(server, **asked) as client:
        for _ in range(2):
            stream(client, silence(2000) + pcm(CLIP) + silence(300))
            client.say(COMMIT)
            stream(client, silence(500))
            assert client.hear_until(COMPLETED)["transcript"] == TEXT

    assert client.types().count(DELTA) >= 2


@promises("Clients", f"{PIPECAT}: turns by `server_vad`, which start and stop its user's turns")
def test_turns_by_the_servers_vad(server: Server) -> None:
    asked = {"turn_detection": {"type": "server_vad"}, "transcription": transcription("whisper-1")}
    with pipeline(server, **asked) as client:
        for _ in range(2):
            stream(client, pcm(CLIP) + silence(1000))
            client.hear_until("input_audio_buffer.speech_started")
            client.hear_until("input_audio_buffer.speech_stopped")
            assert client.hear_until(COMPLETED)["transcript"] == TEXT
