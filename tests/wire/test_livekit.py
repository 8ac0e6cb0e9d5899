"""LiveKit's plugins of OpenAI, Azure and Groq, left at their defaults."""

from __future__ import annotations

import asyncio
from typing import Any

import av
import pytest

from tests.server import Server
from tests.wire.http import CLIP, TEXT
from tests.wire.promises import promises

RATE = 16_000


def heard(name: str, server: Server) -> Any:
    """What the plugin of that name makes of the clip."""
    # Here, as it takes seconds that no other test has to wait.
    from livekit import rtc
    from livekit.plugins import groq, openai

    made: dict[str, Any] = {
        "openai": lambda: openai.STT(base_url=f"{server.url}/v1", api_key="unused"),
        "whisper-1": lambda: openai.STT(
            model="whisper-1", base_url=f"{server.url}/v1", api_key="unused"
        ),
        "azure": lambda: openai.STT.with_azure(
            azure_endpoint=server.url, api_version="2024-06-01", api_key="unused"
        ),
        "groq": lambda: groq.STT(base_url=f"{server.url}/openai/v1", api_key="unused"),
    }

    async def recognize() -> Any:
        plugin, samples = made[name](), pcm()
        try:
            frame = rtc.AudioFrame(samples, RATE, 1, len(samples) // 2)
            return await plugin.recognize(frame)
        finally:
            await plugin.aclose()

    return asyncio.run(recognize())


def pcm() -> bytes:
    """The clip as s16le."""
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(CLIP) as file:
        frames = [each for frame in file.decode(audio=0) for each in resampler.resample(frame)]
    return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)


@promises("Clients", "LiveKit's plugins, by their default models: OpenAI's, Azure's, Groq's")
@pytest.mark.parametrize("name", ["openai", "whisper-1", "azure", "groq"])
def test_livekit(server: Server, name: str) -> None:
    [found] = heard(name, server).alternatives

    assert (found.text, found.language) == (TEXT, "en")
