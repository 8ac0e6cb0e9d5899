"""Lingering close: an answer before the end of the body still reaches a client that sends."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.response_state import BODY, START

MAX_BYTES = 1024 * 1024 * 1024
MAX_SECONDS = 30.0


class LingeringClose:
    """Middleware: an early answer is sent whole, and ends when the body has come to its end.

    Closed at once, the connection would be reset under a client that is still sending, which then
    sees no answer, and OpenAI's SDKs send everything again. What comes is thrown away, up to
    `MAX_BYTES` and `MAX_SECONDS`; after that the connection is closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if not _has_body(headers := Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        asked = whole = False

        async def watched_receive() -> Message:
            nonlocal asked, whole
            asked = True
            message = await receive()
            whole = whole or not message.get("more_body", False)
            return message

        async def lingering_send(message: Message) -> None:
            # A client that waits for `100 Continue` sends nothing when something else comes.
            is_early = not whole and (asked or "expect" not in headers)
            if is_early and message["type"] == START:
                MutableHeaders(scope=message)["connection"] = "close"
            elif is_early and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _discard(watched_receive)
                message = {"type": BODY, "body": b""}
            await send(message)

        await self.app(scope, watched_receive, lingering_send)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _discard(receive: Receive) -> None:
    left = MAX_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(MAX_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
