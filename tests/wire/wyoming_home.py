"""A server with a port for Wyoming, and what tests ask it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable

from tests.server import Server
from tests.wyoming_events import KIND, Kind, heard, say, utterance

SECONDS = 300


@dataclass(frozen=True)
class Home:
    """A server with a port for Wyoming."""

    server: Server
    port: int

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncTcpClient]:
        """The official client, connected."""
        async with asyncio.timeout(SECONDS), AsyncTcpClient("127.0.0.1", self.port) as client:
            yield client

    def ask(self, *events: Eventable | Event) -> list[Event]:
        """Every event that comes for these, until the stream of a transcript or all ends."""

        async def asked() -> list[Event]:
            async with self.client() as client:
                await say(client, events)
                return await heard(client)

        return asyncio.run(asked())

    def send(self, sent: bytes) -> bytes:
        """All that comes for these bytes, until the server hangs up."""

        async def asked() -> bytes:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(sent)
                got = await reader.read()
                writer.close()
                return got

        return asyncio.run(asked())

    def count(self, metric: str) -> float:
        """The value of a series at /metrics; 0: there is none."""
        text = httpx.get(f"{self.server.url}/metrics", timeout=SECONDS).text
        found = re.search(rf"^{re.escape(metric)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def eventually(self, holds: Callable[[], bool]) -> bool:
        """Whether it comes true: what is counted shows when the answer has gone."""
        deadline = time.monotonic() + SECONDS
        while not (held := holds()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return held

    def requests(self, outcome: str) -> float:
        """How many utterances have ended so."""
        labels = f'dialect="wyoming",endpoint="transcribe",model="tiny.en",outcome="{outcome}"'
        return self.count(f"whisper_requests_total{{{labels}}}")


def spoken(sound: bytes, kind: Kind = KIND) -> list[Eventable]:
    """The events of an utterance in English."""
    return utterance(sound, kind, language="en")


def error_of(events: list[Event]) -> Error:
    """The error that is all that came."""
    assert [event.type for event in events] == ["error"]
    return Error.from_event(events[0])


def framed(event: Event) -> bytes:
    """An event with all of its data in its line, as the protocol's first version had it."""
    head = {"type": event.type, "data": event.data, "payload_length": len(event.payload or b"")}
    return json.dumps(head).encode() + b"\n" + (event.payload or b"")
