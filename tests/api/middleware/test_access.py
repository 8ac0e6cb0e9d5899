"""Tests of who may use the server."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.client_secrets import ClientSecrets
from api.keys import KeyRing, key_digest
from api.middleware.access import RequireKey, access_problem
from api.middleware.socket_access import RequireSocketKey
from api.request_context import context_of
from api.settings import Settings

KEY = "a-key-of-the-tests"
DIGESTS = (key_digest(KEY), key_digest("another-key"))


async def noted(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers with the key's name in the context, and whether a page asks for one."""
    context = context_of(scope)
    answer = {"key_name": context.key_name, "asks_for_key": context.asks_for_key}
    await JSONResponse(answer)(scope, receive, send)


def basic(credentials: str) -> str:
    """What clients make of the credentials in a URL."""
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


NOTHING = {"key_name": "", "asks_for_key": False}


def guarded() -> TestClient:
    """A client of an app that needs a key."""
    return TestClient(RequireKey(noted, KeyRing(DIGESTS)))


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"authorization": f"Bearer {KEY}"}, "key-1"),
        ({"authorization": f"bearer  {KEY} "}, "key-1"),
        ({"api-key": "another-key"}, "key-2"),
        ({"authorization": "Basic YTpi", "api-key": KEY}, "key-1"),
        ({"authorization": basic(f"anybody:{KEY}")}, "key-1"),
        ({"authorization": basic(":another-key").replace("Basic", "basic")}, "key-2"),
    ],
)
def test_key_is_known_by_its_name(headers: dict[str, str], name: str) -> None:
    assert guarded().get("/x", headers=headers).json() == NOTHING | {"key_name": name}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, None),
        ({"authorization": KEY}, None),
        ({"authorization": "Basic YTpi"}, "invalid_api_key"),
        ({"authorization": basic(KEY)}, None),
        ({"authorization": basic(f"{KEY}:")}, None),
        ({"authorization": "Basic no base64"}, None),
        ({"authorization": "Basic /w=="}, None),
        ({"authorization": f"Bearer {KEY}x"}, "invalid_api_key"),
        ({"authorization": "Bearer key-1"}, "invalid_api_key"),
        ({"api-key": KEY[:-1]}, "invalid_api_key"),
    ],
)
def test_key_is_refused(headers: dict[str, str], code: str | None) -> None:
    answer = guarded().get("/x", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert answer.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_probes_need_no_key(path: str) -> None:
    assert guarded().get(path).json() == NOTHING


def test_without_keys_nobody_has_a_name() -> None:
    app = TestClient(RequireKey(noted, KeyRing(())))

    assert app.get("/x", headers={"api-key": KEY}).json() == NOTHING


def test_key_of_a_web_socket_is_checked() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope: Scope = {"type": "websocket", "path": "/x", "headers": [], "subprotocols": []}
    app = RequireSocketKey(noted, KeyRing(DIGESTS), ClientSecrets(b"k" * 32))
    asyncio.run(app(scope, receive, send))

    start, body = sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert b"No API key was given" in body["body"]


def test_settings_hide_the_keys() -> None:
    settings = Settings.from_environ({"WHISPER_API_KEYS": f"{KEY}, another-key"})

    assert settings.api_keys == DIGESTS
    assert "api_keys=" not in repr(settings)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "2001:db8::1", "speech.example", "127.0.0.256"],
)
def test_open_server_is_for_this_machine_alone(host: str) -> None:
    assert access_problem(Settings(), host) == (
        f"the server does not listen on {host}, for other machines, without API keys: set "
        "WHISPER_API_KEYS, WHISPER_API_KEYS_FILE or WHISPER_ALLOW_ANYONE=true"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_open_server_on_this_machine(host: str) -> None:
    assert access_problem(Settings(), host) is None


def test_other_machines_with_keys_or_by_a_setting(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"one:{KEY}")

    for settings in (
        Settings(api_keys=DIGESTS),
        Settings(api_keys_file=file),
        Settings(allow_anyone=True),
    ):
        assert access_problem(settings, "0.0.0.0") is None


def test_bad_key_file_is_a_problem_everywhere(tmp_path: Path) -> None:
    settings = Settings(api_keys=DIGESTS, api_keys_file=tmp_path / "none", allow_anyone=True)

    assert access_problem(settings, "127.0.0.1") == (
        f"The key file {tmp_path / 'none'} cannot be read: No such file or directory."
    )


@pytest.mark.parametrize("path", ["/", "/docs", "/page/page.js", "/favicon.ico", "/openapi.json"])
def test_pages_need_no_key_and_know_that_calls_do(path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = guarded().request(method, path)
        assert answer.status_code == 200
    assert guarded().get(path).json() == NOTHING | {"asks_for_key": True}
    assert guarded().post(path).status_code == 401


def test_health_without_a_key_is_told_that_there_are_some() -> None:
    for method in ("GET", "HEAD"):
        assert guarded().request(method, "/health").status_code == 200
    assert guarded().get("/health").json() == NOTHING | {"asks_for_key": True}
    assert guarded().get("/health", headers={"api-key": KEY}).json() == NOTHING | {
        "key_name": "key-1"
    }
    assert guarded().get("/health", headers={"api-key": "wrong"}).status_code == 401
    assert guarded().post("/health").status_code == 401


@pytest.mark.parametrize("path", ["/index.html", "/docs//", "/page/x.js", "/docs.json", "/Docs"])
def test_what_only_looks_like_a_page_needs_a_key(path: str) -> None:
    assert guarded().get(path).status_code == 401
