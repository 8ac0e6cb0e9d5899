"""Tests of clients that go away."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Scope

from api.app import create_app
from tests.api.fake import TRANSCRIPTIONS, EndlessTranscriber, served

BODY = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nbase\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nx\r\n--b--\r\n'
)


def scope() -> Scope:
    """A POST to the transcriptions, as a server hands it over."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": TRANSCRIPTIONS,
        "raw_path": TRANSCRIPTIONS.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


class Connection:
    """The server's side of a connection whose messages the test puts in."""

    def __init__(self, transcriber: EndlessTranscriber) -> None:
        self.app = create_app("0")
        self.app.state.served = served("base", transcriber=transcriber)
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.has_sent = asyncio.Event()

    async def send(self, message: Message) -> None:
        """Keep what the app sends."""
        self.sent.append(message)
        self.has_sent.set()

    def run(self) -> asyncio.Task[None]:
        """The app, answering."""
        return asyncio.create_task(self.app(scope(), self.incoming.get, self.send))


def test_disconnect_cancels_the_work() -> None:
    async def scenario() -> None:
        transcriber = EndlessTranscriber()
        connection = Connection(transcriber)
        answering = connection.run()
        await connection.incoming.put({"type": "http.request", "body": BODY})
        await asyncio.wait_for(transcriber.started.wait(), 5)
        await connection.incoming.put({"type": "http.disconnect"})
        await asyncio.wait_for(answering, 5)
        assert transcriber.cancelled.is_set()
        assert connection.sent[0]["status"] == 499

    asyncio.run(scenario())


def test_disconnect_during_the_upload(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        transcriber = EndlessTranscriber()
        connection = Connection(transcriber)
        await connection.incoming.put(
            {"type": "http.request", "body": BODY[:60], "more_body": True}
        )
        await connection.incoming.put({"type": "http.disconnect"})
        await asyncio.wait_for(connection.run(), 5)
        assert not transcriber.started.is_set()
        assert connection.sent[0]["status"] == 499

    asyncio.run(scenario())
    assert caplog.messages == []


def test_disconnect_by_cancelling_the_request() -> None:
    async def scenario() -> None:
        transcriber = EndlessTranscriber()
        connection = Connection(transcriber)
        answering = connection.run()
        await connection.incoming.put({"type": "http.request", "body": BODY})
        await asyncio.wait_for(transcriber.started.wait(), 5)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert transcriber.cancelled.is_set()
        assert connection.sent == []

    asyncio.run(scenario())
