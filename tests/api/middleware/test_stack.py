"""Tests of what stands around the whole service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.keys import key_digest
from api.middleware import lingering_close
from api.middleware.error_envelope import ErrorEnvelope
from api.middleware.lingering_close import LingeringClose
from api.middleware.size_limits import UploadLimit
from api.middleware.stack import Layer, stacked
from api.middleware.time_limits import Deadline
from api.settings import Settings
from tests.api.fake import TRANSCRIPTIONS, client

KEY = "a-key-of-the-tests"
FILES = {"file": ("a.wav", b"x" * 1000)}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads the body and answers its length."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await PlainTextResponse(str(size))(scope, receive, send)


async def forgetful(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that swallows what goes wrong while it reads, and answers as if nothing had."""
    try:
        await echo(scope, receive, send)
    except Exception:  # noqa: BLE001 - as BentoML does
        await PlainTextResponse("our fault", status_code=500)(scope, receive, send)


def chunks(size: int) -> Iterator[bytes]:
    """A body without a length."""
    for _ in range(size):
        yield b"x"


@pytest.mark.parametrize("size", [0, 10])
@pytest.mark.parametrize("body", [bytes, chunks])
def test_upload_within_the_limit(size: int, body: Callable[[int], bytes]) -> None:
    assert TestClient(UploadLimit(echo, 10)).post("/x", content=body(size)).text == str(size)


@pytest.mark.parametrize("app", [echo, forgetful])
@pytest.mark.parametrize("body", [bytes, chunks])
def test_upload_over_the_limit(app: object, body: Callable[[int], bytes]) -> None:
    answer = TestClient(UploadLimit(app, 10)).post("/x", content=body(11))  # type: ignore[arg-type]

    assert answer.status_code == 413
    assert answer.json()["error"]["message"].startswith(
        "The request is too large: its limit is 10 bytes, and it has at least 11."
    )


def test_upload_without_a_limit() -> None:
    assert TestClient(UploadLimit(echo, 0)).post("/x", content=bytes(100)).text == "100"


def test_deadline_gives_up() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Future()

    answer = TestClient(Deadline(endless, 0.01)).get("/x")

    assert answer.status_code == 504
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["type"] == "server_error"


def test_deadline_is_for_the_beginning_of_an_answer() -> None:
    async def slow_end(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"done"})

    assert TestClient(Deadline(slow_end, 0.02)).get("/x").text == "done"


def test_deadline_leaves_time_outs_of_others_alone() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("another")

    with pytest.raises(TimeoutError, match="another"):
        TestClient(Deadline(failing, 5)).get("/x")


def test_plain_error_gets_the_envelope() -> None:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        response = PlainTextResponse("Nope", status_code=405, headers={"allow": "GET"})
        await response(scope, receive, send)

    answer = TestClient(ErrorEnvelope(plain)).post("/x")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["error"]["message"] == "Method Not Allowed: POST /x"


def test_plain_answer_stays() -> None:
    assert TestClient(ErrorEnvelope(echo)).get("/x").text == "0"


class Connection:
    """What a server does with an answer to a body that comes in pieces."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces
        self.sent: list[tuple[str, int]] = []

    async def receive(self) -> Message:
        """The next piece of the body."""
        self.left -= 1
        return {"type": "http.request", "body": b"x", "more_body": self.left > 0}

    async def send(self, message: Message) -> None:
        """Keep what was sent, and how much of the body was still to come."""
        kind = message["type"].removeprefix("http.response.")
        self.sent.append((kind + ("..." if message.get("more_body") else ""), self.left))

    def run(self, app: object, *headers: tuple[bytes, bytes]) -> list[tuple[str, int]]:
        """What an app sends."""
        scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
        asyncio.run(LingeringClose(app)(scope, self.receive, self.send))  # type: ignore[arg-type]
        return self.sent


EARLY = PlainTextResponse("no", status_code=401)


def test_linger_until_the_body_has_come() -> None:
    sent = Connection(5).run(EARLY, (b"content-length", b"5"))

    assert sent == [("start", 5), ("body...", 5), ("body", 0)]


def test_linger_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering_close, "MAX_BYTES", 3)

    assert Connection(5).run(EARLY, (b"transfer-encoding", b"chunked"))[-1] == ("body", 2)


def test_linger_not_for_an_answer_to_the_whole_body() -> None:
    assert Connection(2).run(echo, (b"content-length", b"2")) == [("start", 0), ("body", 0)]


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"5"), (b"expect", b"100-continue")]])
def test_linger_not_where_nothing_is_coming(headers: list[tuple[bytes, bytes]]) -> None:
    assert Connection(5).run(EARLY, *headers) == [("start", 5), ("body", 5)]


def test_first_layer_is_the_outermost() -> None:
    def layer(name: str) -> Layer:
        def wrapped(inner: ASGIApp) -> ASGIApp:
            async def app(scope: Scope, receive: Receive, send: Send) -> None:
                passed.append(name)
                await inner(scope, receive, send)

            return app

        return wrapped

    passed: list[str] = []
    app = stacked([layer("outer"), layer("middle"), layer("inner")], echo)

    assert TestClient(app).get("/x").text == "0"
    assert passed == ["outer", "middle", "inner"]


def test_stack_around_the_app() -> None:
    settings = Settings(api_keys=(key_digest(KEY),), max_upload_mib=1)
    app = client(settings=settings)
    headers = {"authorization": f"Bearer {KEY}"}
    fields = {"model": "base"}

    assert app.post(TRANSCRIPTIONS, data=fields, files=FILES).status_code == 401
    assert app.post(TRANSCRIPTIONS, data=fields, files=FILES, headers=headers).is_success
    large = {"file": ("a.wav", bytes(2**20))}
    refused = app.post(TRANSCRIPTIONS, data=fields, files=large, headers=headers)
    assert refused.status_code == 413
    assert refused.headers["x-request-id"].startswith("req_")
