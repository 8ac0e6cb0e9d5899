"""Replay of the first session updates of client libraries, byte for byte in their own form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.realtime.running import Running, append, audio_of, running, update_input

PCM = {"type": "audio/pcm", "rate": 24000}
# LiveKit's plugin for models with turn detection, and for those without.
LIVEKIT = {
    "format": PCM,
    "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en", "prompt": "Hello"},
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 600,
        "silence_duration_ms": 350,
    },
    "noise_reduction": {"type": "near_field"},
}
LIVEKIT_LIVE = {
    "format": PCM,
    "transcription": {"model": "gpt-live-transcribe", "keywords": [], "languages": ["en", "de"]},
}
PIPECAT = {
    "format": PCM,
    "transcription": {
        "model": "gpt-realtime-whisper",
        "language": "en",
        "prompt": "Hello",
        "delay": "low",
    },
    "turn_detection": None,
}
AGENTS = {
    "format": PCM,
    "transcription": {"model": "gpt-4o-transcribe", "language": "en", "keywords": ["Kubernetes"]},
    "turn_detection": {"type": "semantic_vad"},
}
AI_SDK = {
    "format": {"type": "audio/pcm", "rate": 16000},
    "transcription": {"model": "gpt-live-transcribe", "languages": ["en"], "delay": "minimal"},
    "turn_detection": None,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """An open server."""
    with running() as started:
        yield started


@pytest.mark.parametrize(
    "asked",
    [LIVEKIT, LIVEKIT_LIVE, PIPECAT, AGENTS, AI_SDK],
    ids=["livekit", "livekit-live", "pipecat", "agents", "ai-sdk"],
)
def test_first_updates_are_obeyed(server: Running, asked: dict[str, Any]) -> None:
    with server.client("?intent=transcription") as client:
        client.hear()
        client.say(append(audio_of(50)))
        updated = client.ask(update_input(**asked))

    assert updated["type"] == "session.updated"
    told = updated["session"]["audio"]["input"]
    for name, value in asked.items():
        shown = told[name]
        assert shown == value or {**shown, **value} == shown
    expects_turns = asked.get("turn_detection") is not None
    assert (told["turn_detection"] is not None) == expects_turns
