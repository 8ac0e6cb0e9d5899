"""Web pages that open live sessions: by which names and of which origins."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.realtime.running import Running, model_of, running
from tests.wire.promises import promises

KEY = "a-key-of-the-tests"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """An open server."""
    with running() as started:
        yield started


@promises(
    "Live transcription",
    "a web page that asks an open server by a name of its own, without TLS: 403",
    "differs",
    "any name can be made to lead to the machine that a page is looked at on (DNS rebinding)",
)
@pytest.mark.parametrize(("scheme", "is_open"), [("http", False), ("https", True)])
def test_pages_whose_own_name_leads_here(server: Running, scheme: str, is_open: bool) -> None:
    port = urlsplit(server.url).port
    page = replace(server, url=f"http://whisper.example:{port}")
    headers = {"origin": f"{scheme}://whisper.example:{port}"}
    with socket.create_connection(("127.0.0.1", port or 0)) as connection:
        if is_open:
            assert model_of(page, headers=headers, sock=connection) == "base"
        else:
            status, _, error = page.refusal(headers=headers, sock=connection)
            assert (status, error["type"]) == (403, "invalid_request_error")


@pytest.mark.parametrize(
    ("origin", "is_open"),
    [
        ("https://whisper.example:8443", True),
        ("https://whisper.example", True),
        ("https://evil.example:8443", False),
    ],
)
def test_pages_behind_a_proxy_with_tls_that_leaves_out_its_port(
    server: Running, origin: str, is_open: bool
) -> None:
    page = replace(server, url="http://whisper.example")
    port = urlsplit(server.url).port
    with socket.create_connection(("127.0.0.1", port or 0)) as connection:
        if is_open:
            assert model_of(page, headers={"origin": origin}, sock=connection) == "base"
        else:
            assert page.refusal(headers={"origin": origin}, sock=connection)[0] == 403


@promises(
    "Live transcription",
    "a web page of elsewhere: 403; `WHISPER_CORS_ORIGINS` or, without any, a key lets it in",
    "differs",
    "hosted is open to every page; a browser would let any page listen through an open server",
)
@pytest.mark.parametrize(
    ("settings", "origin", "is_open"),
    [
        ({}, "https://evil.example", False),
        ({}, "null", False),
        ({}, "http://[", False),
        ({}, "SAME", True),
        ({"api_keys": KEY}, "https://evil.example", True),
        ({"cors_origins": "https://app.example"}, "https://app.example", True),
        ({"cors_origins": "https://app.example"}, "https://APP.example", True),
        ({"cors_origins": "https://app.example"}, "https://evil.example", False),
        ({"cors_origins": "https://app.example"}, "SAME", True),
        ({"cors_origins": "https://app.example", "api_keys": KEY}, "https://evil.example", False),
        ({"cors_origins": "*"}, "https://evil.example", True),
    ],
)
def test_web_pages_of_other_origins(settings: dict[str, Any], origin: str, is_open: bool) -> None:
    with running(**settings) as server:
        headers = {"origin": server.url if origin == "SAME" else origin}
        if "api_keys" in settings:
            headers["authorization"] = f"Bearer {KEY}"
        if is_open:
            assert model_of(server, headers=headers) == "base"
        else:
            status, _, error = server.refusal(headers=headers)
            assert status == 403
            assert "WHISPER_CORS_ORIGINS" in error["message"]
