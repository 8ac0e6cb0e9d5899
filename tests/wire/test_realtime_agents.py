"""OpenAI's Agents SDK: a streamed session of its speech-to-text model, at its defaults."""

from __future__ import annotations

import asyncio

import numpy as np
import openai

from tests.server import Server
from tests.wire.http import CLIP, SECONDS, TEXT
from tests.wire.promises import promises
from tests.wire.realtime_client import pcm, silence

AGENTS = "OpenAI's Agents SDK"


def turns_of(server: Server, audio: bytes, speed: float) -> list[str]:
    """The turns of a session that is told this, so many times as fast as it is spoken."""
    # Here, as it takes seconds that no other test has to wait.
    from agents import set_tracing_disabled
    from agents.voice import OpenAISTTModel, StreamedAudioInput, STTModelSettings

    # Else it reports what it does to OpenAI.
    set_tracing_disabled(True)
    samples = np.frombuffer(audio, "<i2")

    async def speak(heard: StreamedAudioInput) -> None:
        for piece in np.split(samples, range(4800, len(samples), 4800)):
            await heard.add_audio(piece)
            await asyncio.sleep(0.2 / speed)
        await heard.add_audio(None)

    async def run() -> list[str]:
        client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused")
        heard = StreamedAudioInput()  # type: ignore[no-untyped-call]
        model = OpenAISTTModel("gpt-4o-transcribe", client)
        async with client, asyncio.timeout(SECONDS):
            session = await model.create_session(heard, STTModelSettings(), False, False)
            speaking = asyncio.create_task(speak(heard))
            found = [turn async for turn in session.transcribe_turns()]
            await speaking
        return found

    return asyncio.run(run())


@promises("Clients", f"{AGENTS}, voice: turns by `semantic_vad`, its default")
def test_turns_by_semantic_vad(server: Server) -> None:
    speech = pcm(CLIP) + silence(5000)

    assert turns_of(server, speech + speech, 8) == [TEXT, TEXT]


@promises("Clients", f"{AGENTS}, voice: the end, at which it commits and clears")
def test_the_end_in_mid_speech(server: Server) -> None:
    assert turns_of(server, pcm(CLIP), 4) == [TEXT]


@promises("Clients", f"{AGENTS}, voice: a session in which nobody speaks ends without an error")
def test_nobody_speaks(server: Server) -> None:
    assert turns_of(server, silence(2000), 8) == []
