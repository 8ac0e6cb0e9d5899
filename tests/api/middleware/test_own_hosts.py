"""Web pages that ask an open server by a name of theirs (DNS rebinding)."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from api.keys import key_digest
from api.settings import Settings
from tests.api.fake import TRANSCRIPTIONS, client

KEY = "a-key-of-the-tests"
FORM: dict[str, Any] = {"data": {"model": "base"}, "files": {"file": ("a.wav", b"x" * 1000)}}


def status_of(
    host: str, origin: str | None, method: str = "POST", path: str = TRANSCRIPTIONS, **settings: Any
) -> int:
    """The answer's status to a page of `origin`, or to a program, that asks for this host."""
    headers = {"host": host}
    if origin:
        headers["origin"] = origin
    if "api_keys" in settings:
        headers["authorization"] = f"Bearer {KEY}"
    app = client(settings=Settings(**settings))
    form = FORM if method == "POST" else {}
    return app.request(method, path, headers=headers, **form).status_code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "192.168.1.7",
        "[::1]:8000",
        "localhost:8000",
        "LOCALHOST",
        "whisper.localhost",
        "whisper:8000",
        "nas.local:8000",
        "nas.lan",
        "whisper.default.svc.cluster.local",
        f"{socket.gethostname()}:8000",
        f"{socket.gethostname()}.local",
        "nas.local.",
    ],
)
def test_a_page_by_a_name_that_is_nobody_elses_is_served(host: str) -> None:
    assert status_of(host, f"http://{host}") == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example.", "."],
)
def test_a_page_by_a_name_that_may_be_anybodys_is_refused(host: str) -> None:
    assert status_of(host, f"http://{host}") == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "whisper:8000", "nas.local"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://evil.example:8000", "https://evil.example", "null", "file://"],
)
def test_a_foreign_page_whose_host_a_proxy_has_rewritten_is_refused(host: str, origin: str) -> None:
    assert status_of(host, origin) == 403
    assert status_of(host, origin, cors_origins=(origin,)) == 200


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "http://192.168.1.7",
        "http://nas.lan:3000",
        "http://[fd00::7]:8000",
        "app://obsidian.md",
        "tauri://localhost",
        "chrome-extension://abcdefghijklmnop",
    ],
)
def test_own_pages_apps_and_programs_behind_a_proxy_that_rewrites_the_host(
    origin: str | None,
) -> None:
    assert status_of("127.0.0.1:8000", origin) == 200


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("whisper.example", "https://whisper.example:8443", 200),
        ("whisper.example:443", "https://whisper.example:8443", 200),
        ("whisper.example:8443", "https://whisper.example:8443", 200),
        ("[2001:db8::7]", "https://[2001:db8::7]:8443", 200),
        ("whisper.example", "https://evil.example:8443", 403),
        ("whisper.example", "http://whisper.example:8443", 403),
        ("", "https://", 403),
    ],
)
def test_by_tls_the_name_counts_without_its_port(host: str, origin: str, status: int) -> None:
    assert status_of(host, origin) == status


def test_what_the_refusal_says() -> None:
    headers = {"host": "127.0.0.1:8000", "origin": "http://evil.example"}
    answer = client().post(TRANSCRIPTIONS, headers=headers, **FORM)

    assert answer.status_code == 403
    assert "'http://evil.example'" in answer.json()["error"]["message"]
    assert "WHISPER_CORS_ORIGINS" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("origin", "settings"),
    [
        (None, {}),
        ("https://whisper.example", {}),
        ("http://whisper.example", {"cors_origins": ("http://whisper.example",)}),
        ("http://whisper.example", {"cors_origins": ("*",)}),
        ("http://whisper.example", {"api_keys": (key_digest(KEY),)}),
    ],
)
def test_who_is_served_by_any_name(origin: str | None, settings: dict[str, Any]) -> None:
    assert status_of("whisper.example", origin, **settings) == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://other.example", "null"])
def test_who_is_not(origin: str) -> None:
    others = ("http://another.example",)
    assert status_of("whisper.example", origin) == 403
    assert status_of("whisper.example", origin, cors_origins=others) == 403


def test_reading_is_not_checked_as_browsers_send_no_origin_with_it() -> None:
    assert status_of("evil.example", "http://evil.example", "GET", "/v1/models") == 200


LISTS = [
    TRANSCRIPTIONS,
    TRANSCRIPTIONS.removeprefix("/v1"),
    f"//v1/{TRANSCRIPTIONS[4:]}",
    f"/openai{TRANSCRIPTIONS}",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("origin", [None, "http://evil.example"])
def test_the_list_of_jobs_is_not_read_by_a_name_that_may_be_anybodys(
    path: str, origin: str | None
) -> None:
    assert status_of("evil.example", origin, "GET", path) == 403
    keys = (key_digest(KEY),)
    assert status_of("evil.example:8000", origin, "GET", path, api_keys=keys) != 403
    others = ("http://another.example",)
    assert status_of("evil.example", origin, "GET", path, cors_origins=others) == 403


@pytest.mark.parametrize("path", LISTS)
def test_the_list_of_jobs_is_read_by_own_names_and_those_of_listed_origins(path: str) -> None:
    for host in ("127.0.0.1:8000", "localhost", "nas.local", "whisper"):
        assert status_of(host, None, "GET", path) != 403
    host, origin = "whisper.example:8000", "http://whisper.example:8000"
    assert status_of(host, None, "GET", path, cors_origins=(origin,)) != 403
    assert status_of(host, None, "GET", path, cors_origins=("*",)) != 403
