"""Tests of the outbox: order, its bound, and clients that take nothing."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from starlette.types import Message

from api.realtime.sending import MAX_EVENTS, Outbox, SlowClientError


class Wire:
    """What was sent; nothing is while it is `blocked`."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.blocked = False

    async def send(self, message: Message) -> None:
        """Take a message."""
        if self.blocked:
            await asyncio.Future()
        self.sent.append(message)


def test_events_are_sent_in_their_order() -> None:
    async def run() -> None:
        wire = Wire()
        outbox = Outbox(wire.send)
        writer = asyncio.create_task(outbox.write())
        await outbox.put(*[{"number": number} for number in range(1000)])
        await outbox.flushed()
        writer.cancel()
        await outbox.close(1001, "over")

        *events, close = wire.sent
        assert [json.loads(event["text"])["number"] for event in events] == list(range(1000))
        assert close == {"type": "websocket.close", "code": 1001, "reason": "over"}

    asyncio.run(run())


def test_a_client_that_takes_nothing_ends_the_writer() -> None:
    async def run() -> None:
        wire = Wire()
        wire.blocked = True
        outbox = Outbox(wire.send, seconds=0.05)
        await outbox.put({"number": 1})

        with pytest.raises(SlowClientError):
            await outbox.write()
        with pytest.raises(SlowClientError):
            await outbox.close(1001, "")

    asyncio.run(run())


def test_a_client_that_is_made_to_wait_has_more_time_and_not_for_ever() -> None:
    async def run() -> None:
        wire = Wire()
        wire.blocked = True
        outbox = Outbox(wire.send, seconds=0.05, grace=0.4)
        outbox.is_waiting = True
        clock = asyncio.get_running_loop().time
        start = clock()

        with pytest.raises(SlowClientError):
            async with asyncio.timeout(10):
                await outbox.close(1001, "")
        assert clock() - start >= 0.4

    asyncio.run(run())


def test_who_leaves_all_unread_that_the_queue_holds_has_no_grace() -> None:
    async def run() -> None:
        wire = Wire()
        wire.blocked = True
        outbox = Outbox(wire.send, seconds=0.05, grace=10)
        outbox.is_waiting = True
        putting = asyncio.create_task(outbox.put(*[{}] * (MAX_EVENTS + 2)))

        async with asyncio.timeout(5):
            with pytest.raises(SlowClientError):
                await outbox.write()
        putting.cancel()

    asyncio.run(run())


def test_a_message_that_is_read_within_the_grace_is_sent_once() -> None:
    async def run() -> None:
        wire = Wire()
        wire.blocked = True
        outbox = Outbox(wire.send, seconds=0.05, grace=10)
        outbox.is_waiting = True
        closing = asyncio.create_task(outbox.close(1001, ""))
        await asyncio.sleep(0.12)
        assert not closing.done()
        wire.blocked = False
        await closing

        assert [each["code"] for each in wire.sent] == [1001]

    asyncio.run(run())


def test_more_than_it_holds_waits() -> None:
    async def run() -> None:
        wire = Wire()
        outbox = Outbox(wire.send)
        putting = asyncio.create_task(outbox.put(*[{}] * (MAX_EVENTS + 1)))
        await asyncio.sleep(0.05)
        assert not putting.done()

        writer = asyncio.create_task(outbox.write())
        await putting
        await outbox.flushed()
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
        assert len(wire.sent) == MAX_EVENTS + 1

    asyncio.run(run())


def test_there_is_room_behind_those_that_wait() -> None:
    async def run() -> None:
        wire = Wire()
        outbox = Outbox(wire.send)
        putting = asyncio.create_task(outbox.put(*[{}] * (MAX_EVENTS + 10)))
        await asyncio.sleep(0)
        room = asyncio.create_task(outbox.room())
        await asyncio.sleep(0.05)
        assert not room.done()

        writer = asyncio.create_task(outbox.write())
        await room
        assert putting.done()
        writer.cancel()

    asyncio.run(run())


def test_a_timeout_of_the_connections_own_is_not_the_clients() -> None:
    async def run() -> None:
        async def send(message: Message) -> None:
            raise TimeoutError("own")

        with pytest.raises(TimeoutError, match="own"):
            await Outbox(send).close(1000, "")

    asyncio.run(run())
