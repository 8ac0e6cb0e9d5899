"""Connections of Wyoming: cut into packets, many at once, left, and not read."""

from __future__ import annotations

import asyncio
import json

from wyoming.event import Event
from wyoming.info import Describe, Info

from tests.wire.promises import promises
from tests.wire.wyoming_home import SECONDS, Home, framed, spoken
from tests.wyoming_events import heard, pcm, say, transcript_of


@promises("Wyoming", "events may be cut into packets anywhere", "as there")
def test_headers_split_over_packets(home: Home, home_text: str) -> None:
    events = [each.event() for each in spoken(pcm())]
    sent = b"".join(map(framed, events))

    async def asked() -> bytes:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            for at in range(0, len(sent), 61):
                writer.write(sent[at : at + 61])
                await asyncio.sleep(0)
            answer = await reader.readuntil(b'"transcript-stop"}')
            writer.close()
            return answer

    assert json.dumps(home_text).encode() in asyncio.run(asked())


@promises("Wyoming", "who hangs up stops the work", "extension")
def test_client_that_leaves(home: Home) -> None:
    before = home.requests("cancelled")

    async def asked() -> None:
        async with home.client() as client:
            await say(client, spoken(pcm() * 50))
            # Nine minutes of speech are read, and the first of them are under way.
            await client.read_event()

    def is_over() -> bool:
        running = home.count('whisper_queued_requests{state="running"}')
        connected = home.count("whisper_wyoming_connections")
        return (home.requests("cancelled"), running, connected) == (before + 1, 0, 0)

    asyncio.run(asked())
    assert home.eventually(is_over)


@promises("Wyoming", "fifty clients at once", "extension")
def test_fifty_connections(home: Home) -> None:
    async def asked() -> list[list[Event]]:
        async def one() -> list[Event]:
            async with home.client() as client:
                await say(client, spoken(pcm()[: 2 * 16000 * 3]))
                return await heard(client)

        return await asyncio.gather(*(one() for _ in range(50)))

    found = {transcript_of(events).text for events in asyncio.run(asked())}
    assert len(found) == 1
    assert "fellow Americans" in found.pop()


@promises("Wyoming", "who does not read what it is sent keeps nobody else waiting", "extension")
def test_client_that_does_not_read(home: Home) -> None:
    async def asked() -> Event | None:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(framed(Describe().event()) * 20_000)
            async with home.client() as client:
                await say(client, [Describe()])
                event = await client.read_event()
            writer.close()
            return event

    event = asyncio.run(asked())
    assert event
    assert Info.is_type(event.type)
