"""Cancellation of the work for a client that goes away, BentoML's endpoints included."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CLIENT_CLOSED_REQUEST
from api.response_state import BODY, ResponseState


class UntilDisconnected:
    """Middleware: the app is cancelled when the client goes away before it is answered.

    It is watched while the body comes, which is not read ahead of the app, and after that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, in a task of its own."""
        client, answer = _Client(receive), ResponseState(send)
        answering = asyncio.ensure_future(self.app(scope, client.receive, answer.send))
        leaving = asyncio.create_task(client.left())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            # The app's work after its answer is not for the client.
            if leaving.done() and answer.ended is None:
                answering.cancel()
            await asyncio.wait([answering])
            if not answering.cancelled():
                answering.result()
            elif answer.has_begun:
                # For the logs and metrics of requests that have ended.
                await send({"type": BODY, "body": b""})
            else:
                await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


class _Client:
    """The app's `receive`: it sees the body, and no disconnect."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        self._gone = False

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
