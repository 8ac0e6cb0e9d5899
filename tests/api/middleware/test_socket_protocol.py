"""Tests of the WebSocket protocol: clients that read nothing, and a server that lets them wait."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from api.middleware.socket_protocol import SocketProtocol
from api.middleware.timed_headers import TimedHeaders
from tests.server import listening

PING_SECONDS = 0.5
# A client's text of no characters (RFC 6455, 5.2).
EMPTY_FRAME = b"\x81\x80" + bytes(4)


class Hasty(SocketProtocol):
    """With little time for what is not read."""

    unread_seconds: ClassVar[float] = 1.0


class HastyHeaders(TimedHeaders):
    """With little time for the headers of a request."""

    seconds: ClassVar[float] = 1.0


class Talker:
    """An app that sends until it cannot, one that does not read for a while, and one that does."""

    def __init__(self) -> None:
        self.lost = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Talk, wait or listen, as the path says."""
        await receive()
        await send({"type": "websocket.accept"})
        if scope["path"] == "/wait":
            await asyncio.sleep(6 * PING_SECONDS)
        if scope["path"] == "/talk":
            talking = asyncio.create_task(self._talk(send))
        while (message := await receive())["type"] != "websocket.disconnect":
            if message["text"] == "last":
                await send({"type": "websocket.send", "text": "heard"})
        if scope["path"] == "/talk":
            talking.cancel()
        self.lost.set()

    async def _talk(self, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "text": "a" * 65536})


@pytest.fixture
def talker() -> Talker:
    return Talker()


@pytest.fixture
def url(talker: Talker) -> Iterator[str]:
    """Its server, which pings often."""
    options = {"ws_ping_interval": PING_SECONDS, "ws_ping_timeout": PING_SECONDS}
    with listening(talker, ws=Hasty, http=HastyHeaders, **options) as address:
        yield address.replace("http", "ws", 1)


def shaken_hands(url: str, path: str) -> socket.socket:
    """A connection that is a WebSocket by now, and does nothing more by itself."""
    connection = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=120)
    lines = (
        f"GET {path} HTTP/1.1",
        "host: x",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    connection.sendall("\r\n".join((*lines, "", "")).encode())
    return connection


def test_a_client_that_reads_nothing_is_gone(url: str, talker: Talker) -> None:
    with shaken_hands(url, "/talk"):
        assert talker.lost.wait(120)


def test_a_client_whose_messages_wait_is_not_taken_for_gone(url: str) -> None:
    with connect(f"{url}/wait", ping_interval=None) as connection:
        for text in ("one", "two", "last"):
            connection.send(text)
        assert connection.recv(120) == "heard"


def test_a_client_that_sends_is_there_without_pongs(url: str, talker: Talker) -> None:
    with shaken_hands(url, "/listen") as connection:
        for _ in range(20):
            connection.sendall(EMPTY_FRAME)
            time.sleep(PING_SECONDS / 4)
        assert not talker.lost.is_set()


def test_a_client_that_answers_no_ping_is_closed(url: str) -> None:
    with shaken_hands(url, "/listen") as connection:
        answer = b""
        while piece := connection.recv(65536):
            answer += piece

    # A close frame with 1011 and its reason.
    assert answer.endswith(b"\x03\xf3keepalive ping timeout")


def test_a_web_socket_lasts_longer_than_headers_may_take(url: str, talker: Talker) -> None:
    with connect(f"{url}/listen", ping_interval=None) as connection:
        assert not talker.lost.wait(2.5 * HastyHeaders.seconds)
        connection.send("last")
        assert connection.recv(120) == "heard"
