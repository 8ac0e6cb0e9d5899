"""Clients of live transcription in load tests: sound at any speed, and all that is told of it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from models.audio.samples import Samples
from models.units import SAMPLE_RATE
from scripts.shared.errors import BenchError
from scripts.shared.http_load import Server

# Seconds of an append.
PIECE_SECONDS = 0.1
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


@dataclass(frozen=True)
class LiveSetup:
    """What a session is told: without `silence_ms` turns end where the client commits."""

    silence_ms: int | None = None
    delay: str = "medium"
    language: str | None = "en"

    def update(self, model: str) -> dict[str, object]:
        """The event that says it."""
        detection = {"type": "server_vad", "silence_duration_ms": self.silence_ms}
        transcription = {"model": model, "language": self.language, "delay": self.delay}
        audio = {
            "format": {"type": "audio/pcm", "rate": SAMPLE_RATE},
            "transcription": {name: value for name, value in transcription.items() if value},
            "turn_detection": detection if self.silence_ms else None,
        }
        session = {"type": "transcription", "audio": {"input": audio}}
        return {"type": "session.update", "session": session}


@dataclass
class Heard:
    """What a session has told; times are of `time.perf_counter`.

    `began` and `committed` count turns; `failures` are errors, failed turns, and an end that the
    client has not made.
    """

    deltas: list[tuple[float, str]] = field(default_factory=list)
    transcripts: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    began: int = 0
    committed: int = 0

    def take(self, event: dict[str, Any], now: float) -> None:
        """Note an event."""
        match str(event["type"]).removeprefix(_TRANSCRIPTION):
            case "input_audio_buffer.speech_started":
                self.began += 1
            case "input_audio_buffer.committed":
                self.committed += 1
            case "delta":
                self.deltas.append((now, event["delta"]))
            case "completed":
                self.transcripts.append((now, event["transcript"]))
            case "failed" | "error":
                self.failures.append(str(event["error"]["message"]))

    @property
    def text(self) -> str:
        """All transcripts, joined."""
        return " ".join(text for _, text in self.transcripts)


class LiveClient:
    """One session: `heard` fills while the caller speaks. A failure ends nothing by itself."""

    def __init__(self, socket: ClientConnection) -> None:
        self.heard = Heard()
        # Seconds by which sound was sent too late, at most.
        self.sent_late = 0.0
        self._socket, self._news = socket, asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def is_open(self) -> bool:
        """False once the server has ended the session."""
        return not self._listening.done()

    async def say(self, kind: str, **fields: object) -> None:
        """Send an event; nothing, where the session has ended."""
        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"type": kind, **fields}))

    async def speak(self, pieces: Iterable[bytes], speed: float = 1.0) -> None:
        """Append sound, `speed` times as fast as it is spoken, until it or the session ends.

        What was late is made up for.
        """
        due = time.perf_counter()
        for piece in pieces:
            if not self.is_open:
                return
            audio = base64.b64encode(piece).decode()
            await self.say("input_audio_buffer.append", audio=audio)
            due += len(piece) / 2 / SAMPLE_RATE / speed
            late = time.perf_counter() - due
            self.sent_late = max(self.sent_late, late)
            await asyncio.sleep(max(0.0, -late))

    async def commit(self) -> None:
        """End the turn."""
        await self.say("input_audio_buffer.commit")

    async def completed(self, turns: int, seconds: float) -> None:
        """Return once so many turns are over, or the session is; fail after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while self.is_open and self._over < turns:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self.heard.failures.append(f"not completed in {seconds:g} s")

    @property
    def _over(self) -> int:
        return len(self.heard.transcripts) + len(self.heard.failures)

    async def aclose(self) -> None:
        """Listen no more."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        try:
            async for message in self._socket:
                self.heard.take(json.loads(message), time.perf_counter())
                self._news.set()
        except ConnectionClosed:
            pass
        close = self._socket.close_code
        self.heard.failures.append(f"the session has ended with {close}")
        self._news.set()


@asynccontextmanager
async def live(server: Server, setup: LiveSetup) -> AsyncIterator[LiveClient]:
    """A session with this setup, ended with the block.

    Raises:
        BenchError: it cannot be opened.
    """
    query = urlencode({"intent": "transcription", "model": server.model})
    address = f"{server.url.rstrip('/').replace('http', 'ws', 1)}/v1/realtime?{query}"
    headers = {"authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    # An overloaded server is measured, not left: what is slow is waited for.
    opening = connect(
        address,
        additional_headers=headers,
        max_size=None,
        compression=None,
        open_timeout=server.timeout,
        ping_timeout=server.timeout,
    )
    async with AsyncExitStack() as stack:
        try:
            socket = await stack.enter_async_context(opening)
        except (InvalidHandshake, OSError) as error:
            raise BenchError(f"{server.url}: no live session: {error}") from error
        client = LiveClient(socket)
        update = setup.update(server.model)
        await client.say(str(update.pop("type")), **update)
        try:
            yield client
        finally:
            await client.aclose()


def pieces(samples: Samples) -> list[bytes]:
    """Sound in pieces of 16-bit samples."""
    pcm = (samples * 32_767).astype("<i2").tobytes()
    size = round(PIECE_SECONDS * SAMPLE_RATE) * 2
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]
