"""Stops the work for a client that has gone away, whoever answers it."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CLIENT_CLOSED_REQUEST


class UntilDisconnected:
    """Middleware: the app is cancelled when the client goes away before it is answered.

    It is watched while the body comes, which is not read ahead of the app, and after that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, in a task of its own."""
        connection = _Connection(receive, send)
        answering = asyncio.ensure_future(self.app(scope, connection.receive, connection.send))
        leaving = asyncio.create_task(connection.left())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and not connection.answered:
                answering.cancel()
            await asyncio.wait([answering])
            if not answering.cancelled():
                answering.result()
            elif connection.started:
                # For those who count and log what has ended.
                await send({"type": "http.response.body", "body": b""})
            else:
                await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


class _Connection:
    """What the app is given for `receive` and `send`; it sees the body, and no disconnect."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._read = asyncio.Event()
        self._gone = self.started = self.answered = False

    async def left(self) -> None:
        """Return when the client goes away; the body is left to the app."""
        await self._read.wait()
        while not self._gone:
            self._gone = (await self._receive())["type"] == "http.disconnect"

    async def receive(self) -> Message:
        """The next part of the body; after it nothing comes but the end."""
        if not self._read.is_set():
            message = await self._receive()
            self._gone = message["type"] == "http.disconnect"
            if not message.get("more_body", False):
                self._read.set()
            if not self._gone:
                return message
        await asyncio.Future()
        raise AssertionError

    async def send(self, message: Message) -> None:
        """Pass the answer on."""
        self.started = True
        # What the app does after its answer is not for the client.
        self.answered = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)
