"""uvicorn's WebSocket protocol, with an end for clients that do not read or have vanished."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# What a client has to read what is left, once a connection is being closed.
UNREAD_SECONDS = 15.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """A connection that is closed although its client does not read, and not while it is heard.

    uvicorn waits for a client to read what is left, and so for ever for one that reads nothing. And
    it takes a pong for missing that it has not read, while the app lets messages wait.
    """

    unread_seconds: ClassVar[float] = UNREAD_SECONDS
    _received = 0.0
    _abort: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Note that the client is there."""
        self._received = self.loop.time()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nothing left to be read."""
        super().connection_lost(exc)
        if self._abort:
            self._abort.cancel()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; a refusal that has been sent completes the handshake, which uvicorn overlooks."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = not message.get("more_body", False)

    def keepalive_timeout(self) -> None:
        """Close, unless the client sends, or its pong may be among what is not read yet."""
        timeout = self.ping_timeout or 0.0
        if self.read_paused or self.loop.time() - self._received < timeout:
            self.pong_timer = self.loop.call_later(timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()
            self._abort_later()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The app is done, and the connection about to be closed."""
        super().on_task_complete(task)
        self._abort_later()

    def _abort_later(self) -> None:
        if self._abort is None and not self.disconnected:
            self._abort = self.loop.call_later(self.unread_seconds, self.transport.abort)
