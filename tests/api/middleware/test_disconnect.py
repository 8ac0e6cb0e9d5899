"""Tests of clients that go away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.app import create_app
from api.middleware.disconnect import UntilDisconnected
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.requests.model_registry import Transcriber
from api.settings import Settings
from models.capacity.admission import Admission
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
        "headers": [
            (b"content-type", b"multipart/form-data; boundary=b"),
            (b"content-length", str(len(BODY)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


class Connection:
    """The server's side of a connection whose messages the test puts in."""

    def __init__(
        self,
        transcriber: Transcriber,
        admission: Admission | None = None,
        settings: Settings | None = None,
    ) -> None:
        app = create_app("0")
        app.state.registry = served("base", transcriber=transcriber, admission=admission)
        self.app = MiddlewareStack(app, settings or Settings(), Drain(0))
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

    def put(self, body: bytes) -> None:
        """All of the body comes."""
        self.incoming.put_nowait({"type": "http.request", "body": body})

    def leave(self) -> None:
        """The client goes away."""
        self.incoming.put_nowait({"type": "http.disconnect"})


class Stalled(Connection):
    """One whose client reads the headers of an answer, and nothing more."""

    def __init__(self, transcriber: Transcriber, admission: Admission) -> None:
        super().__init__(transcriber, admission)
        self.has_stalled = asyncio.Event()

    async def send(self, message: Message) -> None:
        """Keep it, or wait for ever."""
        await super().send(message)
        if len(self.sent) > 1:
            self.has_stalled.set()
            await asyncio.Event().wait()


def test_disconnect_cancels_the_work() -> None:
    async def scenario() -> None:
        transcriber, admission = EndlessTranscriber(), Admission(60, slots=1)
        connection = Connection(transcriber, admission)
        answering = connection.run()
        connection.put(BODY)
        await asyncio.wait_for(transcriber.started.wait(), 120)
        connection.leave()
        await asyncio.wait_for(answering, 120)
        assert transcriber.cancelled.is_set()
        assert connection.sent[0]["status"] == 499
        assert admission.cancelled == 1

    asyncio.run(scenario())


def test_disconnect_during_the_upload(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        transcriber = EndlessTranscriber()
        connection = Connection(transcriber)
        await connection.incoming.put(
            {"type": "http.request", "body": BODY[:60], "more_body": True}
        )
        connection.leave()
        await asyncio.wait_for(connection.run(), 120)
        assert not transcriber.started.is_set()
        assert connection.sent[0]["status"] == 499

    asyncio.run(scenario())
    assert caplog.messages == []


def test_disconnect_by_cancelling_the_request() -> None:
    async def scenario() -> None:
        transcriber = EndlessTranscriber()
        connection = Connection(transcriber)
        answering = connection.run()
        connection.put(BODY)
        await asyncio.wait_for(transcriber.started.wait(), 120)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert transcriber.cancelled.is_set()
        assert connection.sent == []

    asyncio.run(scenario())


async def waiting_in_line(admission: Admission, settings: Settings) -> Connection:
    """A connection whose request waits behind others, and has been answered when it returns."""
    transcriber = EndlessTranscriber()
    connection = Connection(transcriber, admission, settings)
    with admission.ticket(1), admission.ticket(1):
        answering = connection.run()
        connection.put(BODY)
        while not admission.waiting:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        if settings == Settings():
            connection.leave()
        await asyncio.wait_for(answering, 120)
        assert (admission.waiting, admission.running) == (0, 2)
    assert admission.cancelled == 1
    assert not transcriber.started.is_set()
    return connection


@pytest.mark.parametrize(
    ("settings", "status"), [(Settings(), 499), (Settings(timeout=1), 504)], ids=["gone", "late"]
)
def test_request_that_is_given_up_leaves_the_line(settings: Settings, status: int) -> None:
    connection = asyncio.run(waiting_in_line(Admission(60, slots=1), settings))

    assert connection.sent[0]["status"] == status
    assert (b"x-queue-position", b"1") in connection.sent[0]["headers"]


App = Callable[[Scope, Receive, Send], Awaitable[None]]


def answers_of(app: App, *incoming: Message) -> list[Message]:
    """What the middleware sends for an app and these messages, after which the client is gone."""
    messages = [*incoming, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(UntilDisconnected(app)(scope(), receive, send))
    return sent


def test_answer_that_is_complete_is_not_cancelled() -> None:
    done: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})
        await asyncio.sleep(0.05)
        done.append(True)

    sent = answers_of(app, {"type": "http.request"})

    assert [message.get("body") for message in sent] == [None, b"all"]
    assert done


def test_answer_that_breaks_off_is_ended() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a part", "more_body": True})
        await receive()
        await asyncio.Future()

    sent = answers_of(app, {"type": "http.request"})

    assert [message.get("body") for message in sent] == [None, b"a part", b""]


def test_body_is_not_read_before_the_app_asks_for_it() -> None:
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        seen.append(await receive())
        seen.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    parts: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request"},
    ]
    sent = answers_of(app, *parts)

    assert seen == parts
    assert sent[0]["status"] == 200


def test_error_of_the_app_is_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answers_of(app)
