"""Wyoming's server: an event loop of its own in a thread, which accepts and counts connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from threading import Thread

from api.errors import ApiError
from api.server_log import logger
from api.wyoming.framing import Event
from api.wyoming.session import LINGER_SECONDS, Offer, Session
from api.wyoming.utterances import Utterances

MAX_CONNECTIONS = 100
# For answers that are on their way when the server ends, and as long for the rest to be given up.
CLOSE_SECONDS = 2 * LINGER_SECONDS


class WyomingServer:
    """Answers Wyoming's clients on a socket that listens, from `start` on.

    It takes `lock` first: of the processes that share the socket one answers at a time.
    `note_connections` is told how many there are.
    """

    def __init__(
        self,
        listener: socket.socket,
        info: Event,
        max_seconds: int,
        lock: AbstractContextManager[object],
        note_connections: Callable[[int], object],
    ) -> None:
        self._listener, self._lock, self._note = listener, lock, note_connections
        self._loop = asyncio.new_event_loop()
        self._offer = Offer(info, max_seconds, self._loop.create_future())
        # Those of all connections, and the sessions of those that were let in.
        self._tasks: set[asyncio.Task[object]] = set()
        self._sessions: dict[asyncio.Task[object], Session] = {}
        self._stop = asyncio.Event()
        self._thread = Thread(target=self._run, name="wyoming", daemon=True)

    def start(self) -> None:
        """Answer what can be answered without models."""
        self._thread.start()

    def begin(self, utterances: Utterances) -> None:
        """Have utterances transcribed from now on."""
        self._loop.call_soon_threadsafe(self._offer.utterances.set_result, utterances)

    def close(self) -> None:
        """End all connections; answers that are on their way have a moment to be read."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        # Otherwise it still waits for the lock, and does until the process ends.
        if self._loop.is_running():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        with self._lock, closing(self._loop), self._listener:
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._listener)
        host, port = self._listener.getsockname()[:2]
        logger.info("Wyoming on %s port %d", host, port)
        await self._stop.wait()
        server.close()
        for task, session in self._sessions.items():
            if not session.is_answering:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LINGER_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        # To cancel it is what the server's end does, and asyncio would log it as a fault.
        with suppress(asyncio.CancelledError):
            try:
                await self._converse(task, Session(reader, writer, self._offer))
            finally:
                await _closed(writer)
        self._tasks.discard(task)

    async def _converse(self, task: asyncio.Task[object], session: Session) -> None:
        if len(self._sessions) >= MAX_CONNECTIONS:
            await session.send_away(_too_many())
            return
        self._sessions[task] = session
        self._note(len(self._sessions))
        try:
            await session.run()
        finally:
            del self._sessions[task]
            self._note(len(self._sessions))


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, with what has been written if that is read in time."""
    writer.close()
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.wait_closed()
    except OSError:
        return  # it has been broken off, or is about to be
    finally:
        writer.transport.abort()


def _too_many() -> ApiError:
    message = f"The server has {MAX_CONNECTIONS} connections, which is all that it takes."
    return ApiError(message, status=503, code="overloaded")
