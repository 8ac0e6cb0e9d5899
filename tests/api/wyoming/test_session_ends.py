"""Ends of a connection: a client that leaves, sends nothing, or does not read."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event
from wyoming.ping import Ping

from api.wyoming import framing, session
from api.wyoming.session import Offer, Session
from api.wyoming.utterances import Utterances
from tests.api.fake import EndlessTranscriber
from tests.api.wyoming.talking import SOUND, Talk, error_of, spoken, talking, until
from tests.wyoming_events import say


def test_client_that_leaves_stops_the_work() -> None:
    transcriber = EndlessTranscriber()

    async def ask() -> Talk:
        async with talking(transcriber) as talk:
            async with talk.client() as client:
                await say(client, spoken())
                await transcriber.started.wait()
            await asyncio.wait_for(transcriber.cancelled.wait(), 120)
            await until(lambda: talk.observed)
            assert talk.registry.admission.held == 0
            return talk

    assert [observed.outcome for observed in asyncio.run(ask()).observed] == ["cancelled"]


def test_client_that_leaves_while_it_speaks() -> None:
    async def ask() -> Talk:
        async with talking() as talk:
            async with talk.client() as client:
                await say(client, spoken()[:-1])
            await until(lambda: talk.observed)
            return talk

    [observed] = asyncio.run(ask()).observed
    assert (observed.outcome, observed.model) == ("cancelled", "")


def test_idle_client_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "IDLE_SECONDS", 0.3)
    error, talk = error_of(AudioStart(16000, 2, 1), AudioChunk(16000, 2, 1, SOUND))

    assert error.data == {"text": "No event came for 0.3 seconds.", "code": "timeout"}
    assert [observed.status for observed in talk.observed] == [408]


def test_connection_that_fails_while_it_is_answered_is_left() -> None:
    async def ask() -> None:
        reader, (mine, other) = asyncio.StreamReader(), socket.socketpair()
        _, writer = await asyncio.open_connection(sock=mine)
        loading: asyncio.Future[Utterances] = asyncio.Future()
        talk = Session(reader, writer, Offer(framing.Event("info"), 600, loading))
        running = asyncio.create_task(talk.run())
        for each in spoken(SOUND[:2048]):
            event = each.event()
            reader.feed_data(framing.Event(event.type, event.data, event.payload or b"").to_bytes())
        await until(lambda: talk.is_answering)
        # As where the other end has vanished: every read raises the same.
        reader.set_exception(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
        await asyncio.wait_for(running, 120)
        writer.close()
        other.close()

    asyncio.run(ask())


def test_bytes_alone_do_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "IDLE_SECONDS", 0.3)

    async def ask() -> bytes:
        async with talking() as talk, talk.raw() as (reader, writer):
            reading = asyncio.create_task(reader.read())
            while not reading.done():
                writer.write(b" ")
                await asyncio.sleep(0.05)
            return reading.result()

    assert b"No event came" in asyncio.run(ask())


def test_client_that_waits_for_its_answer_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "IDLE_SECONDS", 0.2)

    async def ask() -> Event | None:
        async with talking(EndlessTranscriber()) as talk, talk.client() as client:
            await say(client, spoken())
            await asyncio.sleep(0.7)
            await say(client, [Ping("here")])
            return await client.read_event()

    assert asyncio.run(ask()) == Event("pong", {"text": "here"})


def test_client_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SEND_SECONDS", 0.3)
    describe = framing.Event("describe").to_bytes()

    async def ask() -> Talk:
        async with talking() as talk, talk.raw() as (_, writer):
            # More than the buffers of both sides hold.
            writer.write(describe * 20_000)
            await until(lambda: talk.connections and talk.connections[-1] == 0)
            return talk

    assert asyncio.run(ask()).connections == [1, 0]
