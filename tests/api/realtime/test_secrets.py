"""Tests of client secrets over HTTP: how they are made, and what they open."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from random import Random
from string import ascii_letters
from typing import Any

import httpx
import openai
import pytest

from api.client_secrets import ClientSecrets
from tests.api.realtime.running import Running, running
from tests.server import SECONDS
from tests.wire.promises import promises

KEY = "a-key-of-the-tests"
SECRETS = "/v1/realtime/client_secrets"
BETA = "/v1/realtime/transcription_sessions"
SESSION = {
    "type": "transcription",
    "audio": {
        "input": {
            "transcription": {"model": "tiny.en", "language": "en"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 700},
        }
    },
    "include": ["item.input_audio_transcription.logprobs"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A server with a key."""
    with running(api_keys=KEY) as started:
        yield started


def post(
    server: Running, path: str, body: object = None, key: str = KEY, content: bytes | None = None
) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    if content is not None:
        return httpx.post(f"{server.url}{path}", content=content, headers=headers, timeout=SECONDS)
    return httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=SECONDS)


def error_of(answer: httpx.Response) -> tuple[int, Any, Any]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"]


@promises(
    "Live transcription",
    "POST /v1/realtime/client_secrets: a secret that opens sessions with its configuration",
)
def test_a_secret_by_the_official_client_opens_its_session(server: Running) -> None:
    with openai.OpenAI(
        base_url=f"{server.url}/v1", api_key=KEY, _strict_response_validation=True
    ) as client:
        made = client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session=SESSION,  # type: ignore[arg-type]
        )
    assert made.value.startswith("ek_")
    assert made.session.type == "transcription"
    with server.client(headers={"authorization": f"Bearer {made.value}"}) as socket:
        session = socket.hear()["session"]

    asked = session["audio"]["input"]
    assert asked["transcription"]["model"] == "tiny.en"
    assert asked["turn_detection"]["silence_duration_ms"] == 700
    assert session["include"] == SESSION["include"]
    assert server.of(socket).key_name == "key-1"


@pytest.mark.parametrize("path", [SECRETS, "/realtime/client_secrets", f"/openai{SECRETS}"])
@pytest.mark.parametrize("content", [b"", b"{}", b" ", b'{"session": null}'])
def test_everything_may_be_left_out(server: Running, path: str, content: bytes) -> None:
    answer = post(server, path, content=content)

    assert answer.status_code == 200
    assert answer.json()["session"]["audio"]["input"]["transcription"]["model"] == "base"
    assert list(answer.json()) == ["value", "expires_at", "session"]


@promises(
    "Live transcription",
    "a configuration of a client secret that cannot be served: 400, the field named",
)
@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"anchor": "now"}}, "invalid_value", "expires_after.anchor"),
        ({"ttl": 60}, "unknown_parameter", "ttl"),
        ({"session": []}, "invalid_value", "session"),
        ({"session": {"type": "realtime"}}, "invalid_value", "session.type"),
        ({"session": {"voice": "alloy"}}, "unknown_parameter", "session.voice"),
        (
            {"session": {"audio": {"input": {"transcription": {"model": "none"}}}}},
            "model_not_found",
            "session.audio.input.transcription.model",
        ),
    ],
)
def test_what_cannot_be_served_is_named(
    server: Running, body: object, code: str, param: str
) -> None:
    assert error_of(post(server, SECRETS, body)) == (400, code, param)


@pytest.mark.parametrize("characters", ["é", ascii_letters])
def test_a_session_that_fits_into_no_header_is_refused(server: Running, characters: str) -> None:
    words = ["".join(Random(each).choices(characters, k=200)) for each in range(300)]
    asked = {"audio": {"input": {"transcription": {"keywords": words}}}}
    answer = post(server, SECRETS, {"session": asked})

    assert error_of(answer) == (400, "invalid_value", "session")


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"5", b"[" * 10_000])
def test_a_body_that_is_no_object_is_refused(server: Running, content: bytes) -> None:
    assert error_of(post(server, SECRETS, content=content)) == (400, "invalid_value", None)


@promises(
    "Live transcription", "a client secret opens live sessions, and is no key to anything else"
)
def test_a_secret_opens_realtime_alone(server: Running) -> None:
    value = post(server, SECRETS).json()["value"]

    for path in (SECRETS, BETA, "/v1/audio/transcriptions"):
        assert error_of(post(server, path, {}, key=value))[:2] == (401, "invalid_api_key")
    assert post(server, SECRETS, {}, key="a-wrong-key").status_code == 401


@promises(
    "Live transcription",
    "POST /v1/realtime/transcription_sessions, in the beta shape",
    "extension",
    "hosted has switched it off",
)
def test_the_beta_shape(server: Running) -> None:
    flat = {
        "input_audio_format": "g711_ulaw",
        "input_audio_transcription": {"model": "tiny.en"},
        "client_secret": {"expires_at": {"anchor": "created_at", "seconds": 30}},
    }
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        made = client.beta.realtime.transcription_sessions.create(**flat)  # type: ignore[arg-type]
    assert made.input_audio_format == "g711_ulaw"
    assert made.client_secret.value.startswith("ek_")
    with server.client(headers={"authorization": f"Bearer {made.client_secret.value}"}) as socket:
        session = socket.hear()["session"]

    assert session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    refused = post(server, BETA, {"turn_detection": {"threshold": 5}})
    assert error_of(refused) == (400, "invalid_value", "session.turn_detection.threshold")
    assert error_of(post(server, BETA, {"client_secret": 5}))[2] == "client_secret"


def test_http_at_the_socket_is_told_to_upgrade(server: Running) -> None:
    answer = httpx.get(
        f"{server.url}/v1/realtime", headers={"authorization": f"Bearer {KEY}"}, timeout=SECONDS
    )

    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert "WebSocket" in answer.json()["error"]["message"]


@promises(
    "Live transcription",
    "/v1/realtime/calls and /v1/realtime/translations: 404",
    "differs",
    "neither WebRTC nor live translation is served",
)
@pytest.mark.parametrize("path", ["/v1/realtime/calls", "/v1/realtime/translations"])
def test_what_is_not_served_is_404(server: Running, path: str) -> None:
    assert error_of(post(server, path, {}))[0] == 404
    assert server.refusal(path=path, headers={"authorization": f"Bearer {KEY}"})[0] == 404


def test_secrets_cost_no_memory() -> None:
    secrets = ClientSecrets(b"k" * 32)
    secrets.make("key-1", SESSION, 60)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(10_000):
        secrets.make("key-1", SESSION, 60)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert after - before < 10_000


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/realtime/client_secrets", "POST"),
        ("DELETE", "/realtime/transcription_sessions", "POST"),
        ("POST", "/realtime", "GET, HEAD"),
    ],
)
def test_another_method_is_405(
    server: Running, prefix: str, method: str, path: str, allowed: str
) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.request(method, f"{server.url}{prefix}{path}", headers=headers)

    assert (answer.status_code, answer.json()["error"]["type"]) == (405, "invalid_request_error")
    assert sorted(answer.headers["allow"].split(", ")) == allowed.split(", ")
