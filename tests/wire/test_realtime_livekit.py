"""LiveKit's plugin of OpenAI with `use_realtime`: turns by the server's VAD and by its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.server import Server
from tests.speech_clips import clips
from tests.wire.http import CLIP, SECONDS, TEXT
from tests.wire.promises import promises
from tests.wire.realtime_client import pcm, silence

LIVEKIT = "LiveKit's plugin of OpenAI"
RATE = 24_000
# 5 s without a pause.
ACCOUNT = next(clip for clip in clips(language="en") if "account of himself" in clip.text)
GERMAN = next(clip for clip in clips(language="de") if "Änderungsantrag" in clip.text)
# Faster than speech, slower than the models: interim text has its time to come.
SPEED = 3


class Conversation:
    """A stream of the plugin, and the events that it gives."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.events: list[Any] = []

    async def turn(self, audio: bytes) -> Any:
        """The final alternative of a turn that ends in a second of silence."""
        speaking = asyncio.create_task(self._speak(audio + silence(1000)))
        try:
            async for event in self.stream:
                self.events.append(event)
                if event.type == "final_transcript":
                    return event.alternatives[0]
        finally:
            await speaking
        raise AssertionError(self.kinds())

    def kinds(self) -> list[str]:
        """The kinds of the events so far."""
        return [event.type.value for event in self.events]

    def interim(self) -> list[str]:
        """The interim texts so far."""
        found = [event for event in self.events if event.type == "interim_transcript"]
        return [event.alternatives[0].text for event in found]

    async def _speak(self, audio: bytes) -> None:
        from livekit import rtc

        size = RATE // 5
        for start in range(0, len(audio), size):
            piece = audio[start : start + size]
            self.stream.push_frame(rtc.AudioFrame(piece, RATE, 1, len(piece) // 2))
            # As fast as it is spoken until there is some, on a slow machine.
            await asyncio.sleep(0.1 / (SPEED if self.interim() else 1))


Turns = Callable[[Conversation], Awaitable[None]]


def converse(server: Server, turns: Turns, model: str = "gpt-4o-mini-transcribe") -> Conversation:
    """What comes of these turns in one stream of the plugin; its default model, or another."""
    # Here, as it takes seconds that no other test has to wait.
    from livekit.agents.utils import http_context
    from livekit.plugins import openai

    async def run() -> Conversation:
        async with http_context.open():
            plugin = openai.STT(
                base_url=f"{server.url}/v1", api_key="unused", use_realtime=True, model=model
            )
            conversation = Conversation(plugin.stream())
            try:
                async with asyncio.timeout(SECONDS):
                    await turns(conversation)
            finally:
                await conversation.stream.aclose()
                await plugin.aclose()
            return conversation

    return asyncio.run(run())


@promises("Clients", f"{LIVEKIT}, `use_realtime=True`: interim and final text of turns")
def test_turns_by_the_servers_vad(server: Server) -> None:
    finals: list[Any] = []

    async def turns(conversation: Conversation) -> None:
        finals.append(await conversation.turn(pcm(ACCOUNT.path)))
        finals.append(await conversation.turn(pcm(CLIP)))

    conversation = converse(server, turns)

    first, second = finals
    assert "account of himself" in first.text
    # Behind a sentence it begins one.
    assert (second.text.lower(), second.language) == (TEXT.lower(), "en")
    for final in finals:
        assert any(final.text.startswith(text) for text in conversation.interim())
    speech = [kind for kind in conversation.kinds() if kind.endswith("_of_speech")]
    assert speech == ["start_of_speech", "end_of_speech"] * 2


@promises("Clients", f"{LIVEKIT}, `gpt-live-transcribe`: turns that its own VAD commits")
def test_turns_by_its_own_vad(server: Server) -> None:
    async def turns(conversation: Conversation) -> None:
        assert (await conversation.turn(pcm(CLIP))).text == TEXT
        assert (await conversation.turn(pcm(CLIP))).text == TEXT

    conversation = converse(server, turns, model="gpt-live-transcribe")

    assert conversation.interim()


@promises("Clients", f"{LIVEKIT}: another language from the next turn on, in the same session")
def test_a_language_that_changes(server: Server) -> None:
    async def turns(conversation: Conversation) -> None:
        assert (await conversation.turn(pcm(CLIP))).text == TEXT
        conversation.stream.update_options(language="de")
        final = await conversation.turn(pcm(GERMAN.path))
        assert "diesen Änderungsantrag morgen" in final.text
        assert final.language == "de"

    converse(server, turns)


@promises("Clients", f"{LIVEKIT}: the new session that it opens after ten minutes")
def test_another_session_after_ten_minutes(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = 0.0
    clock = SimpleNamespace(time=lambda: time.time() + ahead)
    monkeypatch.setattr("livekit.plugins.openai.stt.time", clock)

    async def turns(conversation: Conversation) -> None:
        nonlocal ahead
        assert (await conversation.turn(pcm(CLIP))).text == TEXT
        ahead = 601.0
        first = conversation.stream._ws  # noqa: SLF001
        # It looks at its clock when a turn is over.
        assert (await conversation.turn(pcm(CLIP))).text == TEXT
        assert (await conversation.turn(silence(500) + pcm(CLIP))).text == TEXT
        assert conversation.stream._ws is not first  # noqa: SLF001
        assert first.closed

    conversation = converse(server, turns)

    finals = [event for event in conversation.events if event.type == "final_transcript"]
    assert [event.alternatives[0].text for event in finals] == [TEXT] * 3
