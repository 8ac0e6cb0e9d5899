"""Parts of the client of a server: events, retry policy, abilities, errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import PurePath

import httpx
import pytest

from client.backend.errors import (
    ClientError,
    GivenUpError,
    NoEndpointError,
    NoServiceError,
    NotConnectedError,
    NoTranscriptError,
    RecordingError,
    RefusedOptionError,
    TryAgainError,
)
from client.backend.transcript import Transcript
from client.remote.abilities import Abilities
from client.remote.address import base_url
from client.remote.form import upload_name
from client.remote.problems import problem
from client.remote.requests import Requests
from client.remote.retry_policy import LOOK_SECONDS, RetryPolicy
from client.remote.server import Server
from client.remote.server_sent_events import data_of

SERVER = Server(base_url("http://127.0.0.1:8000"), "secret-key")


async def pieces(*each: bytes) -> AsyncIterator[bytes]:
    for piece in each:
        yield piece


def test_events_end_with_a_line_feed_alone() -> None:
    text = 'data: {"a":"\u2028\x85 ü"}\r\n: keep-alive\n\ndata:[DONE]\n\n'.encode()
    for size in (1, 3, len(text)):
        cut = [text[start : start + size] for start in range(0, len(text), size)]

        async def read(cut: list[bytes] = cut) -> list[str]:
            return [each async for each in data_of(pieces(*cut))]

        assert asyncio.run(read()) == ['{"a":"\u2028\x85 ü"}', "[DONE]"]


def test_retries_are_for_failures_and_not_for_what_is_busy() -> None:
    policy = RetryPolicy(2, None)
    assert [policy.pause(TryAgainError("busy", 7.0)) for _ in range(99)] == [7.0] * 99
    assert [policy.pause(TryAgainError("broken")) for _ in range(2)] == [1.0, 2.0]
    with pytest.raises(RecordingError, match="broken"):
        policy.pause(TryAgainError("broken"))


def test_waiting_ends_with_its_time() -> None:
    now = [0.0]
    policy = RetryPolicy(0, 10.0, lambda: now[0])
    assert policy.pause(TryAgainError("busy", 5.0)) == 5.0
    now[0] = 6.0
    with pytest.raises(RecordingError, match="busy"):
        policy.pause(TryAgainError("busy", 5.0))


def test_patience_with_a_server_that_is_gone() -> None:
    gone = NotConnectedError("gone")
    policy = RetryPolicy(0, None, is_awaited=True)
    assert [policy.pause(gone) for _ in range(99)] == [LOOK_SECONDS] * 99
    for impatient in (policy, RetryPolicy(0, None)):
        with pytest.raises(RecordingError, match="broken"):
            impatient.pause(TryAgainError("broken"))


@pytest.mark.parametrize(
    ("error", "is_awaited", "is_answered"),
    [
        (httpx.ConnectError("refused"), True, True),
        (httpx.ConnectError("refused"), False, False),
        # It was sent, and may be what ended the server.
        (httpx.ReadError("lost"), True, False),
    ],
)
def test_a_server_that_restarts(
    monkeypatch: pytest.MonkeyPatch, error: Exception, is_awaited: bool, is_answered: bool
) -> None:
    monkeypatch.setattr("client.remote.retry_policy.LOOK_SECONDS", 0.0)
    errors = [error] * 5

    def answer(_: httpx.Request) -> httpx.Response:
        if errors:
            raise errors.pop()
        return httpx.Response(200)

    async def asked() -> bool:
        server = Server(base_url("http://127.0.0.1:8000"), retries=0, is_awaited=is_awaited)
        async with Requests(server, httpx.MockTransport(answer)) as requests:
            try:
                await requests.persistently("GET", server.endpoint("models"))
            except RecordingError:
                return False
        return True

    assert asyncio.run(asked()) == is_answered


@pytest.mark.parametrize("document", [None, [], {}, {"paths": []}, {"paths": {"/": None}}])
def test_what_describes_nothing_has_no_abilities(document: object) -> None:
    assert Abilities.described_by(document) == Abilities()


def envelope(**detail: object) -> dict[str, object]:
    return {"error": {"message": "Said\n so.", "type": "invalid_request_error", **detail}}


@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        (401, {}, NoServiceError),
        (403, {}, NoServiceError),
        (404, {"code": "model_not_found"}, NoServiceError),
        (404, {}, NoEndpointError),
        (400, {"param": "language"}, RefusedOptionError),
        (400, {"param": "file"}, RecordingError),
        (400, {"param": None}, RecordingError),
        (413, {}, RecordingError),
        (504, {}, GivenUpError),
        (507, {}, TryAgainError),
        (500, {}, TryAgainError),
        (503, {}, TryAgainError),
        (301, {}, RecordingError),
    ],
)
def test_errors_of_a_server(
    status: int, detail: dict[str, object], kind: type[ClientError]
) -> None:
    assert type(problem(SERVER, httpx.Response(status, json=envelope(**detail)))) is kind


@pytest.mark.parametrize(
    ("header", "after"), [("7", 7.0), ("0", 1.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_when_to_come_again(header: str, after: float | None) -> None:
    answer = httpx.Response(503, json=envelope(), headers={"retry-after": header})
    error = problem(SERVER, answer)
    assert isinstance(error, TryAgainError)
    assert error.after == after


@pytest.mark.parametrize("body", ["<html>", "[]", '{"error":"x"}', '{"error":{"message":7}}'])
def test_an_error_of_no_known_shape_has_its_status(body: str) -> None:
    assert str(problem(SERVER, httpx.Response(418, text=body))) == "418 I'm a teapot"


def test_the_key_is_in_no_message() -> None:
    answer = httpx.Response(401, json=envelope(message="Wrong: secret-key"))
    assert "secret-key" not in str(problem(SERVER, answer))
    assert "secret-key" not in repr(SERVER)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a b.MP3", "recording.mp3"),
        ("a", "recording"),
        ("a.m\n3", "recording"),
        ("a.ü", "recording"),
    ],
)
def test_a_name_says_nothing_but_its_kind(name: str, sent: str) -> None:
    assert upload_name(PurePath(name)) == sent


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"text":7}'])
def test_an_answer_that_is_no_transcript(body: str) -> None:
    with pytest.raises(NoTranscriptError, match="no transcript"):
        Transcript(body).text  # noqa: B018
