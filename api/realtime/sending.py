"""Outbox of a session: a bounded queue with one writer, and a time limit for each message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.types import Message, Send

# What a client may leave unread before the server has nothing more to say to it.
MAX_EVENTS = 256
SEND_SECONDS = 10.0
# What it may have beyond that for one message, while it is made to wait itself.
GRACE_SECONDS = 60.0


class SlowClientError(Exception):
    """The client does not read what it is sent."""


class Outbox:
    """Events on their way to a client, in their order.

    A client that is made to wait itself, and may read nothing until it has sent what it has, has
    more time: as long as it `is_waiting`, and so much `grace` for each message at most. One that
    has left all unread that the queue holds has none: it is not audio that it waits for.
    """

    def __init__(
        self, send: Send, seconds: float = SEND_SECONDS, grace: float = GRACE_SECONDS
    ) -> None:
        self._send, self._seconds, self._grace = send, seconds, grace
        self.is_waiting = False
        self._events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(MAX_EVENTS)
        self._taken = asyncio.Event()

    async def put(self, *events: Mapping[str, Any]) -> None:
        """Take events; waits while there are too many."""
        for event in events:
            await self._events.put(event)

    async def room(self) -> None:
        """Return when there is room for an event that nobody is waiting to put."""
        while self._events.full():
            self._taken.clear()
            await self._taken.wait()

    async def write(self) -> None:
        """Send events as they come, until cancelled.

        Raises:
            SlowClientError: one was not taken in time.
        """
        while True:
            event = await self._events.get()
            self._taken.set()
            await self.send(event)
            self._events.task_done()

    async def send(self, event: Mapping[str, Any]) -> None:
        """Send an event ahead of those that wait; nobody may be in `write`.

        Raises:
            SlowClientError: it was not taken in time.
        """
        await self._within({"type": "websocket.send", "text": to_json(event).decode()})

    async def flushed(self) -> None:
        """Return when all has been sent; somebody must be in `write`."""
        await self._events.join()

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame; nothing is to be written any more.

        Raises:
            SlowClientError: it was not taken in time.
        """
        await self._within({"type": "websocket.close", "code": code, "reason": reason})

    async def _within(self, message: Message) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + self._grace
        while True:
            try:
                async with asyncio.timeout(self._seconds) as limit:
                    return await self._send(message)
            except TimeoutError:
                if not limit.expired():
                    raise
                has_grace = self.is_waiting and not self._events.full() and clock() < end
                if not has_grace:
                    raise SlowClientError from None
