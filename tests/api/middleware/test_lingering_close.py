"""An early answer lingers no longer than it may: neither in bytes nor in seconds."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope

from api.middleware import lingering_close
from api.middleware.lingering_close import LingeringClose

MIB = 1024 * 1024


class Sender:
    """A client that sends pieces of a size, and goes on for ever; after `pieces` it is silent."""

    def __init__(self, size: int, pieces: int) -> None:
        self.size, self.left, self.came = size, pieces, 0

    async def receive(self) -> Message:
        """The next piece."""
        if not self.left:
            await asyncio.Event().wait()
        self.left -= 1
        self.came += self.size
        return {"type": "http.request", "body": bytes(self.size), "more_body": True}


def answered(sender: Sender) -> list[Message]:
    """What is sent to a client with an answer that comes before its body."""
    sent: list[Message] = []
    scope: Scope = {"type": "http", "method": "POST", "path": "/"}
    scope["headers"] = [(b"transfer-encoding", b"chunked")]

    async def send(message: Message) -> None:
        sent.append(message)

    app = LingeringClose(PlainTextResponse("no", status_code=401))
    asyncio.run(asyncio.wait_for(app(scope, sender.receive, send), 60))
    return sent


def test_it_is_a_gibibyte_and_half_a_minute() -> None:
    assert (lingering_close.MAX_BYTES, lingering_close.MAX_SECONDS) == (1024 * MIB, 30)


@pytest.mark.parametrize(("limit", "came"), [(3 * MIB, 3 * MIB), (3 * MIB + 1, 4 * MIB)])
def test_bytes_are_thrown_away_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit: int, came: int
) -> None:
    monkeypatch.setattr(lingering_close, "MAX_BYTES", limit)
    sender = Sender(MIB, 100)

    assert not answered(sender)[-1].get("more_body")
    assert sender.came == came


def test_client_that_falls_silent_is_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering_close, "MAX_SECONDS", 0.05)
    sender = Sender(1, 2)
    start, *_, last = answered(sender)

    assert (start["status"], sender.came) == (401, 2)
    assert (b"connection", b"close") in start["headers"]
    assert not last.get("more_body")
