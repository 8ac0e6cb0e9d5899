"""Speakers of the live benchmark: clips in real time, to a session here or over a WebSocket."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

from models.audio.load.load_audio import load
from models.live.events import Completed, Delta, Failed, SpeechStarted
from models.live.live_options import AudioFormat, Delay, LiveOptions, ServerVad
from models.live.live_session import LiveSession
from models.live.recognizer import Recognizers
from models.options import TranscribeOptions, VoiceOptions
from models.units import SAMPLE_RATE
from scripts.shared.errors import BenchError
from scripts.shared.manifest import Clip

# Seconds of an append, and of silence behind a clip.
_APPEND, _SILENCE = 0.05, 2.0
# Seconds that a clip's last text may take.
_PATIENCE = 60.0

Kind = Literal["began", "text", "completed"]
# Sends 16-bit samples at 16 kHz.
Send = Callable[[bytes], Awaitable[None]]
# Called when a turn begins, with each text, and when a turn is completed.
OnEvent = Callable[[Kind, str], None]
Connect = Callable[[OnEvent], AbstractAsyncContextManager[Send]]

# Of a server's events, by the last word of their types.
_KINDS: dict[str, Kind] = {
    "speech_started": "began",
    "delta": "text",
    "completed": "completed",
    "failed": "completed",
}


@dataclass(frozen=True)
class LiveConfig:
    """What every session is told."""

    model: str
    language: str
    delay: Delay
    silence_ms: int


@dataclass
class Spoken:
    """A clip as it was spoken live, in seconds from its beginning.

    `texts` came at their times, and turns were `completed` at theirs. `sent_late` is by how much
    its sound was sent too late.
    """

    clip: Clip
    texts: list[tuple[float, str]] = field(default_factory=list)
    completed: list[float] = field(default_factory=list)
    open_turns: int = 0
    sent_late: float = 0.0

    def hear(self, kind: Kind, text: str, now: float) -> None:
        """Note what comes."""
        if kind == "began":
            self.open_turns += 1
        elif kind == "completed":
            self.open_turns -= 1
            self.completed.append(now)
            # The next turn's first word is another word.
            text = " "
        self.texts.append((now, text))

    def is_at_an_end(self, when: float) -> bool:
        """True if a text came with the end of its turn."""
        return any(0 <= end - when < _APPEND for end in self.completed)

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join("".join(text for _, text in self.texts).split())


def here(recognizers: Recognizers, config: LiveConfig) -> Connect:
    """Sessions in this process."""
    live = LiveOptions(
        model=config.model,
        format=AudioFormat("pcm16", SAMPLE_RATE),
        turn_detection=ServerVad(VoiceOptions(silence_duration_ms=config.silence_ms)),
        delay=config.delay,
        transcription=TranscribeOptions(language=config.language),
    )

    @asynccontextmanager
    async def connect(on_event: OnEvent) -> AsyncIterator[Send]:
        session = LiveSession(recognizers, live)

        async def send(audio: bytes) -> None:
            session.append(audio)
            await session.room()

        async def listen() -> None:
            async for event in session.events():
                match event:
                    case SpeechStarted():
                        on_event("began", "")
                    case Delta(text=text):
                        on_event("text", text)
                    case Completed() | Failed():
                        on_event("completed", "")

        listening = asyncio.create_task(listen())
        try:
            yield send
        finally:
            await session.aclose()
            await listening

    return connect


def over(url: str, key: str | None, config: LiveConfig) -> Connect:
    """Sessions of a server's realtime API.

    Sending raises what the session has ended with.
    """
    from websockets.asyncio.client import connect as opened

    query = urlencode({"intent": "transcription", "model": config.model})
    address = f"{url.rstrip('/').replace('http', 'ws', 1)}/v1/realtime?{query}"
    headers = {"authorization": f"Bearer {key}"} if key else {}

    @asynccontextmanager
    async def connect(on_event: OnEvent) -> AsyncIterator[Send]:
        async with opened(address, additional_headers=headers, max_size=None) as socket:
            await socket.send(json.dumps(_update(config)))

            async def send(audio: bytes) -> None:
                if listening.done():
                    listening.result()
                data = base64.b64encode(audio).decode()
                await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": data}))

            async def listen() -> None:
                async for message in socket:
                    event = json.loads(message)
                    if event["type"] == "error":
                        raise BenchError(event["error"]["message"])
                    kind = _KINDS.get(event["type"].rpartition(".")[2])
                    if kind:
                        on_event(kind, event.get("delta", ""))
                raise BenchError("the server has ended the session")

            listening = asyncio.create_task(listen())
            try:
                yield send
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    return connect


def _update(config: LiveConfig) -> dict[str, object]:
    audio = {
        "format": {"type": "audio/pcm", "rate": SAMPLE_RATE},
        "transcription": {
            "model": config.model,
            "language": config.language,
            "delay": config.delay,
        },
        "turn_detection": {"type": "server_vad", "silence_duration_ms": config.silence_ms},
    }
    return {
        "type": "session.update",
        "session": {"type": "transcription", "audio": {"input": audio}},
    }


async def speak(connect: Connect, clips: Sequence[Clip]) -> list[Spoken]:
    """One speaker, who says the clips one after another, each once the one before is written."""
    spoken: list[Spoken] = []
    began = time.perf_counter()

    def hear(kind: Kind, text: str) -> None:
        spoken[-1].hear(kind, text, time.perf_counter() - began)

    async with connect(hear) as send:
        for clip in clips:
            spoken.append(Spoken(clip))
            began = time.perf_counter()
            for number, piece in enumerate(_pieces(clip, spoken[-1]), 1):
                await send(piece)
                late = time.perf_counter() - began - number * _APPEND
                spoken[-1].sent_late = max(spoken[-1].sent_late, late)
                await asyncio.sleep(max(0.0, -late))
    return spoken


def _pieces(clip: Clip, spoken: Spoken) -> Iterator[bytes]:
    """The clip's sound, and silence until all of it is written."""
    pcm = (load(clip.path) * 32_767).astype("<i2").tobytes()
    size = round(_APPEND * SAMPLE_RATE) * 2
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
    for number in range(round(_PATIENCE / _APPEND)):
        if number * _APPEND > _SILENCE and spoken.open_turns <= 0:
            return
        yield bytes(size)
