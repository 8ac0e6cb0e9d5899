"""Tests of clients that send slowly: bodies by the edge, headers by the protocol."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.middleware.time_limits import BodyTimeout
from api.middleware.timed_headers import TimedHeaders
from tests.leaping_loop import leap
from tests.server import STOP_SECONDS

SECONDS = 0.5


class Hasty(TimedHeaders):
    """As served, in a hurry."""

    seconds = SECONDS


class Body:
    """A body that comes in pieces, each after a pause; past them nothing comes."""

    def __init__(self, pieces: int, size: int, pause: float) -> None:
        self.left, self.size, self.pause = pieces, size, pause

    async def receive(self) -> Message:
        """The next piece."""
        await asyncio.sleep(self.pause)
        self.left -= 1
        body = b"x" * self.size
        return {"type": "http.request", "body": body, "more_body": self.left > 0}


async def lazy(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that takes its time with each piece of the body, and then waits for a disconnect."""
    more = True
    while more:
        more = (await receive())["more_body"]
        await asyncio.sleep(SECONDS / 2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(receive(), SECONDS * 2)
    await PlainTextResponse("done")(scope, receive, send)


def status_of(body: Body) -> int:
    """The status of the answer to a body that must bring 10 bytes in each `SECONDS`."""
    sent: list[Message] = []

    async def receive() -> Message:
        if body.left == 0:
            await asyncio.Event().wait()
        return await body.receive()

    async def send(message: Message) -> None:
        sent.append(message)

    leap(BodyTimeout(lazy, SECONDS, 10)({"type": "http"}, receive, send))
    return int(sent[0]["status"])


def test_a_body_that_drips_is_ended() -> None:
    assert status_of(Body(pieces=1000, size=1, pause=SECONDS / 4)) == 408


def test_a_body_that_stops_is_ended() -> None:
    assert status_of(Body(pieces=2, size=5, pause=SECONDS * 100)) == 408


def test_a_body_that_comes_may_take_longer_than_the_window() -> None:
    assert status_of(Body(pieces=8, size=10, pause=SECONDS / 2)) == 200


def test_only_waiting_for_the_body_counts() -> None:
    assert status_of(Body(pieces=6, size=1, pause=0)) == 200


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that takes longer than headers may."""
    await asyncio.sleep(SECONDS * 2)
    await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server of `app` in a hurry."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=Hasty, lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join(STOP_SECONDS)


@contextmanager
def connection(port: int) -> Iterator[socket.socket]:
    """A connection that gives up reading after a while."""
    with socket.create_connection(("127.0.0.1", port), timeout=STOP_SECONDS) as made:
        yield made


REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nho"], ids=["nothing", "a part"])
def test_headers_that_do_not_come_end_the_connection(port: int, sent: bytes) -> None:
    with connection(port) as made:
        made.sendall(sent)

        assert made.recv(1000) == b""


def test_headers_that_drip_end_the_connection(port: int) -> None:
    def drip(made: socket.socket) -> None:
        for _ in range(2000):
            made.sendall(b"G")
            time.sleep(SECONDS / 20)

    with connection(port) as made, pytest.raises(ConnectionError):
        drip(made)


def test_headers_of_the_next_request_are_timed_too(port: int) -> None:
    with connection(port) as made:
        made.sendall(REQUEST)
        answer = made.recv(1000)
        made.sendall(REQUEST[:10])

        assert answer.startswith(b"HTTP/1.1 200")
        while received := made.recv(1000):
            answer += received
        assert answer.endswith(b"done")


def test_an_answer_may_take_longer_than_headers(port: int) -> None:
    with connection(port) as made:
        made.sendall(REQUEST)

        assert made.recv(1000).startswith(b"HTTP/1.1 200")
