"""Tests of the handshake: what opens a session, and what is refused before the upgrade."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from api.client_secrets import ClientSecrets
from api.realtime.endpoint import Limits
from tests.api.realtime.running import CLEAR, PATH, Running, model_of, running
from tests.wire.promises import promises

# Until a place is free.
FREED_SECONDS = 120.0
KEY, OTHER_KEY = "a-key-of-the-tests", "another-key"
SECRETS = ClientSecrets(b"k" * 32)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """An open server."""
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def guarded() -> Iterator[Running]:
    """A server with keys."""
    with running(api_keys=f"{KEY},{OTHER_KEY}") as started:
        yield started


@promises(
    "Live transcription",
    "`intent=transcription`, `model`, `deployment` in any mix, or nothing: a session",
    "extension",
    "hosted takes `intent` alone here; `model` alone opens a conversation there",
)
@pytest.mark.parametrize(
    ("query", "model"),
    [
        ("", "base"),
        ("?intent=transcription", "base"),
        ("?model=tiny.en", "tiny.en"),
        ("?deployment=tiny.en&api-version=2025-04-01-preview", "tiny.en"),
        ("?intent=transcription&model=tiny.en", "tiny.en"),
        ("?model=tiny.en&intent=transcription", "tiny.en"),
        ("?model=gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe"),
        ("?model=gpt-realtime-whisper", "gpt-realtime-whisper"),
        ("?model=&intent=", "base"),
    ],
)
def test_model_intent_and_deployment_in_any_mix(server: Running, query: str, model: str) -> None:
    assert model_of(server, query) == model


@promises(
    "Live transcription",
    "`/v1/realtime`, `/realtime`, `/openai/realtime` and `/openai/v1/realtime` are the same",
    "extension",
)
@pytest.mark.parametrize(
    "path", [PATH, "/realtime", "/openai/realtime", "/openai/v1/realtime", "//v1//realtime"]
)
def test_paths_are_the_same(server: Running, path: str) -> None:
    assert model_of(server, path=path) == "base"


@pytest.mark.parametrize("path", ["/", "/v1/realtime/", "/v1/audio/speech", "/v1/realtime/x"])
def test_other_paths_are_404(server: Running, path: str) -> None:
    status, _, error = server.refusal(path=path)

    assert (status, error["type"]) == (404, "invalid_request_error")


@promises(
    "Live transcription",
    "an unknown `model` in the address: 404, `model_not_found`, before the upgrade",
    "extension",
)
def test_an_unknown_model_is_404(server: Running) -> None:
    status, headers, error = server.refusal("?model=whisper-9&intent=transcription")

    assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert headers["x-request-id"].startswith("req_")


@promises("Live transcription", "`call_id`: 404", "differs", "calls over WebRTC are not served")
def test_calls_of_webrtc_are_404(server: Running) -> None:
    status, _, error = server.refusal("?call_id=rtc_1")

    assert (status, error["param"]) == (404, "call_id")


def test_another_intent_is_an_error(server: Running) -> None:
    status, _, error = server.refusal("?intent=translation")

    assert (status, error["code"], error["param"]) == (400, "invalid_value", "intent")


@promises("Live transcription", "the sub-protocol `realtime` is selected wherever it is offered")
@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        ((), None),
        (("realtime",), "realtime"),
        (("openai-organization.o", "openai-project.p", "realtime", "x", "y"), "realtime"),
        (("x", "openai-agents-sdk.1"), None),
    ],
)
def test_the_sub_protocol_is_selected_where_it_is_offered(
    server: Running, offered: tuple[str, ...], selected: str | None
) -> None:
    with server.client(protocols=offered) as client:
        assert client.hear()["type"] == "session.created"
        assert client.connection.subprotocol == selected


def test_a_session_has_a_request_id(server: Running) -> None:
    with server.client() as client:
        assert client.request_id.startswith("req_")
    assert server.of(client).endpoint == PATH


@promises(
    "Live transcription",
    "the key as Bearer, as `api-key` or in a sub-protocol, `openai-insecure-api-key.KEY`",
)
@pytest.mark.parametrize(
    ("headers", "protocols", "name"),
    [
        ({"authorization": f"Bearer {KEY}"}, (), "key-1"),
        ({"api-key": OTHER_KEY}, (), "key-2"),
        ({}, ("realtime", f"openai-insecure-api-key.{KEY}"), "key-1"),
        (
            {"authorization": f"Bearer {OTHER_KEY}"},
            (f"openai-insecure-api-key.{KEY}", "realtime"),
            "key-2",
        ),
    ],
)
def test_keys_open(
    guarded: Running, headers: Mapping[str, str], protocols: tuple[str, ...], name: str
) -> None:
    with guarded.client(headers=headers, protocols=protocols) as client:
        assert client.hear()["type"] == "session.created"
    assert guarded.of(client).key_name == name


@promises(
    "Live transcription", "no key, or a wrong one: 401 with `www-authenticate`, before the upgrade"
)
@pytest.mark.parametrize(
    ("headers", "protocols", "code"),
    [
        ({}, (), None),
        ({"authorization": "Bearer a-wrong-key"}, (), "invalid_api_key"),
        ({}, ("realtime", "openai-insecure-api-key.a-wrong-key"), "invalid_api_key"),
        (
            {"authorization": "Bearer a-wrong-key"},
            ("realtime", f"openai-insecure-api-key.{KEY}"),
            "invalid_api_key",
        ),
        ({"authorization": "Bearer ek_none"}, (), "invalid_api_key"),
    ],
)
def test_no_key_is_401(
    guarded: Running, headers: Mapping[str, str], protocols: tuple[str, ...], code: str | None
) -> None:
    status, answered, error = guarded.refusal(headers=headers, protocols=protocols)

    assert (status, error["code"]) == (401, code)
    assert answered["www-authenticate"].startswith("Bearer")


def test_a_client_secret_opens_the_session_it_was_made_for(guarded: Running) -> None:
    asked = {"audio": {"input": {"transcription": {"language": "de"}, "turn_detection": None}}}
    secret, _ = SECRETS.make("key-2", asked, 60)
    protocols = ("realtime", f"openai-insecure-api-key.{secret}")

    for _ in range(2):
        with guarded.client("?model=tiny.en", protocols=protocols) as client:
            found = client.hear()["session"]["audio"]["input"]
        assert (found["transcription"]["model"], found["transcription"]["language"]) == (
            "tiny.en",
            "de",
        )
        assert found["turn_detection"] is None
        assert guarded.of(client).key_name == "key-2"


def test_a_secret_of_a_key_that_is_gone_is_401(guarded: Running) -> None:
    secret, _ = SECRETS.make("key-9", {}, 60)

    assert guarded.refusal(headers={"authorization": f"Bearer {secret}"})[0] == 401


def test_an_open_server_refuses_a_secret_that_is_not_good(server: Running) -> None:
    good, _ = SECRETS.make("", {}, 60)
    over, _ = SECRETS.make("", {}, -1)

    assert model_of(server, headers={"authorization": f"Bearer {good}"}) == "base"
    assert server.refusal(headers={"authorization": f"Bearer {over}"})[0] == 401


def test_without_models_it_is_said_when_to_come_again() -> None:
    with running(loaded=False) as server:
        status, headers, error = server.refusal()

    assert (status, error["code"]) == (503, "overloaded")
    assert int(headers["retry-after"]) >= 1


def model_of_a_freed_place(server: Running) -> str:
    """The model of a session once there is a place: a client may see its end before the server."""
    deadline = time.monotonic() + FREED_SECONDS
    while time.monotonic() < deadline:
        try:
            return model_of(server)
        except InvalidStatus:
            time.sleep(0.05)
    raise AssertionError("no place becomes free")


@promises(
    "Live transcription",
    "more than `WHISPER_REALTIME_SESSIONS`: 503 with `retry-after`, before the upgrade",
    "extension",
)
def test_when_all_places_are_taken_others_are_not_disturbed() -> None:
    with running(limits=Limits(2, 60, "medium")) as server:
        with server.client() as first, server.client() as second:
            first.hear(), second.hear()
            status, headers, error = server.refusal()
            assert (status, error["code"]) == (503, "overloaded")
            assert int(headers["retry-after"]) >= 1
            assert first.ask(CLEAR)["type"] == "input_audio_buffer.cleared"
            assert second.ask(CLEAR)["type"] == "input_audio_buffer.cleared"
        assert model_of_a_freed_place(server) == "base"


def test_a_key_has_half_of_the_places() -> None:
    with running(limits=Limits(2, 60, "medium"), api_keys=f"{KEY},{OTHER_KEY}") as server:
        mine, others = ({"api-key": key} for key in (KEY, OTHER_KEY))
        with server.client(headers=mine) as client:
            client.hear()
            assert server.refusal(headers=mine)[0] == 503
            assert model_of(server, headers=others) == "base"


def test_a_server_that_is_ending_opens_none() -> None:
    with running() as server:
        assert model_of(server) == "base"
        server.do(server.drain.begin)
        status, headers, error = server.refusal()

    assert (status, error["code"]) == (503, "shutting_down")
    assert headers["retry-after"]


def test_headers_that_are_too_long_are_refused(server: Running) -> None:
    address = urlsplit(server.url)
    lines = (
        f"GET {PATH} HTTP/1.1",
        f"host: {address.netloc}",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        f"x-long: {'a' * 9000}",
    )
    with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"too long" in answer
