"""A Wyoming server over a transcriber without a model, and clients of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from wyoming.client import AsyncTcpClient
from wyoming.event import Event, Eventable

from api.middleware.draining import Drain
from api.requests.model_registry import ModelRegistry, Transcriber
from api.telemetry.observe import Observed
from api.wyoming.info import OfferedModel, info
from api.wyoming.server import WyomingServer
from api.wyoming.utterances import Utterances
from tests.api.fake import served
from tests.wyoming_events import heard, say, utterance

INFO = info([OfferedModel("base", is_multilingual=True)], "1.2.3")
TEXT = "The naïve wind and the sun."
SOUND = bytes(range(256)) * 64
# Longer than anything here takes.
SECONDS = 120


class CountedDrain(Drain):
    """A drain that knows how many utterances have begun."""

    begun = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Timeout]:
        """Count one more."""
        self.begun += 1
        async with super().running() as limit:
            yield limit


@dataclass
class Talk:
    """A running server and what it has noted."""

    server: WyomingServer
    address: tuple[str, int]
    registry: ModelRegistry
    drain: CountedDrain
    observed: list[Observed] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)

    def begin(self, seconds: float = SECONDS) -> None:
        """The models are loaded."""
        self.server.begin(Utterances(self.registry, self.drain, seconds, [self.observed.append]))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncTcpClient]:
        """The official client, connected."""
        async with asyncio.timeout(SECONDS), AsyncTcpClient(*self.address) as client:
            yield client

    @asynccontextmanager
    async def raw(
        self, *sent: bytes
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection, on which these bytes are sent."""
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(*self.address)
            try:
                writer.write(b"".join(sent))
                yield reader, writer
            finally:
                writer.close()

    async def answers(self, *events: Eventable | Event) -> list[Event]:
        """All that comes for these events until a transcript's end, or that of the connection."""
        async with self.client() as client:
            await say(client, events)
            return await heard(client)


def spoken(sound: bytes = SOUND, **asked: Any) -> list[Eventable]:
    """The events of an utterance with this sound, asked for so."""
    return utterance(sound, **asked)


def types(events: list[Event]) -> list[str]:
    """Their types."""
    return [event.type for event in events]


@asynccontextmanager
async def talking(
    transcriber: Transcriber | None = None,
    *,
    begun: bool = True,
    max_seconds: int = 600,
    seconds: float = SECONDS,
    drain_seconds: float = SECONDS,
) -> AsyncIterator[Talk]:
    """A server in a thread of its own; what it transcribes with is in this loop."""
    listener = socket.create_server(("127.0.0.1", 0))
    counted: list[int] = []
    server = WyomingServer(listener, INFO, max_seconds, nullcontext(), counted.append)
    registry = served("base", transcriber=transcriber)
    talk = Talk(
        server, listener.getsockname(), registry, CountedDrain(drain_seconds), connections=counted
    )
    server.start()
    if begun:
        talk.begin(seconds)
    try:
        yield talk
    finally:
        server.close()


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - it happens in another thread
            await asyncio.sleep(0.01)


def error_of(*sent: Any, transcriber: Any = None, **options: Any) -> tuple[Event, Talk]:
    """The last that is heard, which is an error, before the server hangs up."""

    async def ask() -> tuple[list[Event], Talk]:
        async with talking(transcriber, **options) as talk:
            events = await talk.answers(*sent)
            await until(lambda: talk.connections[-1] == 0)
            return events, talk

    events, talk = asyncio.run(ask())
    assert types(events)[-1] == "error"
    return events[-1], talk
