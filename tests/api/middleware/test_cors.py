"""Web pages of other origins: which may use the server, and what they may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.keys import key_digest
from api.settings import Settings
from models.errors import OverloadedError
from tests.api.fake import TRANSCRIPTIONS, EndlessTranscriber, FailingTranscriber, client

ORIGIN = "https://app.example.org"
KEY = "a-key-of-the-tests"
BEARER = {"authorization": f"Bearer {KEY}"}
FILES = {"file": ("a.wav", b"x" * 1000)}


def guarded(*origins: str) -> TestClient:
    """A client of an app that needs a key and is open to the pages of these origins."""
    return client(settings=Settings(api_keys=(key_digest(KEY),), cors_origins=origins))


def preflight(app: TestClient, origin: str = ORIGIN) -> Any:
    """What a browser asks before a page's request with a key."""
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
    }
    return app.options(TRANSCRIPTIONS, headers=asked)


def test_preflight_of_a_page_from_outside_the_network() -> None:
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
    }
    answers = {
        origin: guarded(ORIGIN).options(TRANSCRIPTIONS, headers={**asked, "origin": origin})
        for origin in (ORIGIN, "https://evil.example.org")
    }

    assert [answer.status_code for answer in answers.values()] == [200, 400]
    assert answers[ORIGIN].headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("app", [guarded(), client()], ids=["guarded", "open"])
def test_no_origin_by_default(app: TestClient) -> None:
    refused = preflight(app)
    answer = app.get("/v1/models", headers={**BEARER, "origin": ORIGIN})

    assert (refused.status_code, answer.status_code) == (400, 200)
    assert "WHISPER_CORS_ORIGINS" in refused.json()["error"]["message"]
    for headers in (refused.headers, answer.headers):
        assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("name", ["origin", "access-control-request-method"])
def test_what_is_no_preflight_needs_a_key(name: str) -> None:
    for app in (guarded(), guarded(ORIGIN)):
        assert app.options(TRANSCRIPTIONS, headers={name: ORIGIN}).status_code == 401


@pytest.mark.parametrize(
    "origin", ["null", "file://", "app://obsidian.md", "capacitor://localhost"]
)
def test_pages_of_apps_and_those_without_an_origin(origin: str) -> None:
    app = guarded(origin)
    answer = app.get("/v1/models", headers={**BEARER, "origin": origin})

    for headers in (preflight(app, origin).headers, answer.headers):
        assert headers["access-control-allow-origin"] == origin


def test_preflight_needs_no_key() -> None:
    answer = preflight(guarded(ORIGIN))

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "GET, POST, DELETE"
    assert "x-stainless-os" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example.org", "http://app.example.org", "null"])
def test_other_origins_are_refused(origin: str) -> None:
    app = guarded(ORIGIN)
    refused = preflight(app, origin)
    answer = app.get("/v1/models", headers={**BEARER, "origin": origin})

    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "invalid_request_error"
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-origin" not in answer.headers


def test_every_origin() -> None:
    answer = guarded("*").get("/v1/models", headers={**BEARER, "origin": ORIGIN})

    assert answer.headers["access-control-allow-origin"] == "*"


def readable(headers: Mapping[str, str]) -> bool:
    """Whether the page may read an answer with these headers, and the headers themselves."""
    exposed = headers.get("access-control-expose-headers", "").split(", ")
    ours = {"x-request-id", "retry-after", "openai-processing-ms", "x-should-retry"}
    return headers.get("access-control-allow-origin") == ORIGIN and ours <= set(exposed)


@pytest.mark.parametrize(
    ("status", "headers", "size"),
    [(200, BEARER, 1), (401, {}, 1), (413, BEARER, 2**20), (431, {**BEARER, "x": "x" * 20000}, 1)],
)
def test_page_reads_answers_and_refusals(status: int, headers: dict[str, str], size: int) -> None:
    settings = Settings(
        api_keys=(key_digest(KEY),), cors_origins=(ORIGIN, "http://localhost"), max_upload_mib=1
    )
    answer = client(settings=settings).post(
        TRANSCRIPTIONS,
        data={"model": "base"},
        files={"file": ("a.wav", bytes(size))},
        headers={**headers, "origin": ORIGIN},
    )

    assert (answer.status_code, readable(answer.headers)) == (status, True)


def test_page_reads_that_the_server_is_busy_or_late() -> None:
    settings = Settings(cors_origins=(ORIGIN,), timeout=1)
    busy = client(FailingTranscriber(OverloadedError("full", retry_after=3)), settings=settings)
    late = client(EndlessTranscriber(), settings=settings)

    for app, status in ((busy, 503), (late, 504)):
        answer = app.post(
            TRANSCRIPTIONS, data={"model": "base"}, files=FILES, headers={"origin": ORIGIN}
        )
        assert (answer.status_code, readable(answer.headers)) == (status, True)
