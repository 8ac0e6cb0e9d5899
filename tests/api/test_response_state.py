"""Tests of how far an answer has come, and of answers that are replaced."""

from __future__ import annotations

import asyncio

import pytest
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.errors import ApiError
from api.request_context import context_of
from api.response_state import ResponseState, pass_replacing

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}


async def receive() -> Message:
    """Nothing that anybody reads."""
    return {"type": "http.request", "body": b"", "more_body": False}


def start(media_type: bytes = b"text/plain") -> Message:
    return {
        "type": "http.response.start",
        "status": 206,
        "headers": [(b"content-type", media_type)],
    }


def body(*, more: bool) -> Message:
    return {"type": "http.response.body", "body": b"x", "more_body": more}


def sent_through(*messages: Message) -> tuple[ResponseState, list[Message]]:
    """The state after these messages and a refusal, and all that was sent."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    def on_start(headers: MutableHeaders) -> None:
        headers["x-added"] = "1"

    async def play() -> ResponseState:
        answer = ResponseState(send, on_start)
        for message in messages:
            await answer.send(message)
        await answer.refuse(ApiError("no"), SCOPE, receive)
        return answer

    return asyncio.run(play()), sent


def test_answer_that_has_begun_cannot_be_refused() -> None:
    answer, sent = sent_through(start(), body(more=True))

    assert (answer.status, answer.has_begun, answer.ended) == (206, True, None)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (b"x-added", b"1") in sent[0]["headers"]


def test_answer_ends_with_the_last_of_its_body() -> None:
    answer, sent = sent_through(start(), body(more=True), body(more=False))

    assert answer.ended is not None
    assert len(sent) == 3


def test_refusal_is_an_answer_as_well() -> None:
    answer, sent = sent_through()

    assert (answer.status, answer.ended is None) == (400, False)
    assert (b"x-added", b"1") in sent[0]["headers"]


@pytest.mark.parametrize(
    ("media_type", "is_stream"),
    [(b"text/event-stream; charset=utf-8", True), (b"text/plain", False)],
)
def test_event_streams_are_known(media_type: bytes, is_stream: bool) -> None:
    assert sent_through(start(media_type))[0].is_stream == is_stream


@pytest.mark.parametrize(("error", "status"), [(None, 200), (ApiError("no", status=418), 418)])
def test_answer_is_replaced_as_a_whole(error: ApiError | None, status: int) -> None:
    failures: list[ApiError | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await pass_replacing(PlainTextResponse("yes"), scope, receive, send, lambda _: error)
        failures.append(context_of(scope).failure)

    answer = TestClient(app).get("/x")

    assert (answer.status_code, answer.text == "yes") == (status, error is None)
    assert failures == [error]
