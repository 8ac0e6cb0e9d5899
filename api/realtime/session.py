"""One client's session: its socket read and written side by side, and every way to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive

from api.errors import ApiError, known_or_internal
from api.realtime.conversation import Conversation
from api.realtime.live import Session
from api.realtime.observation import Observation
from api.realtime.sending import SEND_SECONDS, Outbox, SlowClientError
from api.realtime.server_events import error_event

GOING_AWAY, INTERNAL_ERROR = 1001, 1011
# What running turns may take once a session is to end.
FINISH_SECONDS = 60.0
# What sending ends with where the client has left; everything else is a fault.
_LEFT = (OSError, SlowClientError)
STOPPED, FAILED = "The server is shutting down.", "Internal error."

Task = asyncio.Task[None]


@dataclass(frozen=True)
class Closing:
    """How a session ends while its client is there: a last error, and the close frame."""

    code: int
    reason: str
    error: ApiError | None = None


class ClientLeftError(Exception):
    """The client has gone away, or does not read what it is sent."""


class RealtimeSession:
    """Runs until the client leaves, the session's time is over, or the server stops.

    The reader waits for nothing but room for audio, a second task tells what the models find, and
    a third one writes.
    """

    def __init__(
        self,
        receive: Receive,
        outbox: Outbox,
        live: Session,
        conversation: Conversation,
        observation: Observation,
    ) -> None:
        self._receive, self._outbox, self._live = receive, outbox, live
        self._conversation, self._observation = conversation, observation
        self._is_closing = False

    async def run(self, seconds: float, stopped: Coroutine[Any, Any, None]) -> Closing | None:
        """The session, for so many seconds at most, or until `stopped` returns.

        Returns how it was closed; None: the client has left.
        """
        work = (self._read(), self._tell(), self._outbox.write(), stopped)
        reader, teller, writer, stop = tasks = [asyncio.create_task(each) for each in work]
        try:
            await self._outbox.put(*self._conversation.greeting())
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            closing = await self._closing(reader, teller, writer, stop)
            await self._close(closing, writer)
        except ClientLeftError:
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return closing

    async def _read(self) -> None:
        """Obey the client until it leaves."""
        message = await self._receive()
        while not _is_disconnect(message):
            if not self._is_closing:
                text = message.get("text")
                self._conversation.obey(message["bytes"] if text is None else text)
            message = await self._next()

    async def _next(self) -> Message:
        """The next message, once there is room for what it brings and for what is said to it.

        It is read ahead, so that a client is noticed which leaves while it is made to wait.
        """
        self._outbox.is_waiting = True
        room, ahead = asyncio.create_task(self._room()), asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait([room, ahead], return_when=asyncio.FIRST_COMPLETED)
            if not (ahead.done() and _is_disconnect(ahead.result())):
                await room
            self._outbox.is_waiting = False
            return await ahead
        finally:
            room.cancel()
            ahead.cancel()
            await asyncio.gather(room, ahead, return_exceptions=True)

    async def _room(self) -> None:
        await self._live.room()
        await self._outbox.room()

    async def _tell(self) -> None:
        """Tell the client what the models find, until they have finished."""
        async for event in self._live.events():
            told = self._conversation.tell(event)
            self._observation.note(event, self._live, self._conversation.model)
            await self._outbox.put(*told)

    async def _closing(self, reader: Task, teller: Task, writer: Task, stop: Task) -> Closing:
        """Why the session ends, with its turns finished where there is time for them.

        Raises:
            ClientLeftError
        """
        if fault := _fault(reader, writer, teller):
            return fault
        await self._finish(reader, teller, writer)
        if fault := _fault(reader, writer):
            return fault
        if stop.done():
            return Closing(GOING_AWAY, STOPPED)
        message = "The session has reached its longest time. Open another one."
        return Closing(GOING_AWAY, message, ApiError(message, code="session_expired"))

    async def _finish(self, reader: Task, teller: Task, writer: Task) -> None:
        """Take no more audio, and let the turns that there are be completed and told."""
        self._is_closing = True
        ended = asyncio.create_task(self._finished(teller))
        try:
            await asyncio.wait(
                [ended, reader, writer],
                timeout=FINISH_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            ended.cancel()
            [outcome] = await asyncio.gather(ended, return_exceptions=True)
        if isinstance(outcome, Exception):
            known_or_internal(outcome, "A realtime session")

    async def _finished(self, teller: Task) -> None:
        await self._live.finish()
        await teller

    async def _close(self, closing: Closing, writer: Task) -> None:
        """Send what has not been sent, and the close frame.

        Raises:
            ClientLeftError
        """
        last = asyncio.create_task(self._say_last(closing))
        try:
            await asyncio.wait(
                [last, writer], timeout=SEND_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (last, writer):
                task.cancel()
            await asyncio.gather(last, writer, return_exceptions=True)
        try:
            await self._outbox.close(closing.code, closing.reason)
        except _LEFT:
            raise ClientLeftError from None

    async def _say_last(self, closing: Closing) -> None:
        if closing.error:
            await self._outbox.put(error_event(closing.error))
        await self._outbox.flushed()


def _is_disconnect(message: Message) -> bool:
    return bool(message["type"] == "websocket.disconnect")


def _fault(reader: Task, writer: Task, *others: Task) -> Closing | None:
    """How a session is closed when one of its tasks is over although the client is there.

    Raises:
        ClientLeftError: it is not.
    """
    if reader.done() and not reader.exception():
        raise ClientLeftError
    if writer.done() and isinstance(writer.exception(), _LEFT):
        raise ClientLeftError
    for task in (reader, writer, *others):
        if task.done():
            failure = task.exception() or RuntimeError("A live session ended by itself")
            error = known_or_internal(failure, "A realtime session")
            return Closing(INTERNAL_ERROR, FAILED, error)
    return None
