"""Tests of the security headers."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.testclient import TestClient

from api.middleware.response_headers import (
    OF_PAGES,
    ResponseHeaders,
    add_security,
    make_location_relative,
)


def headers_of(media_type: str | None, status: int = 200, policy: str = "") -> dict[str, str]:
    """The headers of an answer of that type, which BentoML might have made."""
    own = {"content-security-policy": policy} if policy else {}
    response = Response(b"x", status, headers=own, media_type=media_type)
    return dict(TestClient(ResponseHeaders(response, add_security)).get("/any").headers)


@pytest.mark.parametrize(
    "media_type", ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "application/xhtml+xml"]
)
@pytest.mark.parametrize("status", [200, 404, 500])
def test_every_page_is_shut_in(media_type: str, status: int) -> None:
    headers = headers_of(media_type, status)

    assert {name: headers[name] for name in OF_PAGES} == OF_PAGES
    assert headers["x-content-type-options"] == "nosniff"


def test_a_page_cannot_loosen_its_policy() -> None:
    headers = headers_of("text/html", policy="default-src *")

    assert headers["content-security-policy"] == OF_PAGES["content-security-policy"]


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "text/event-stream", "text/htmlx", None]
)
def test_other_answers_are_of_the_type_they_say(media_type: str | None) -> None:
    headers = headers_of(media_type)

    assert headers["x-content-type-options"] == "nosniff"
    assert set(headers) & set(OF_PAGES) == set()


def test_policy_lets_nothing_in_from_elsewhere() -> None:
    sources = {
        source
        for directive in OF_PAGES["content-security-policy"].split("; ")
        for source in directive.split()[1:]
    }

    assert sources == {"'none'", "'self'", "data:"}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/transcribe/", "../transcribe"),
        ("/a/b/?x=1", "../b?x=1"),
        ("/c", "./c/"),
    ],
)
def test_redirect_to_a_route_has_no_host(path: str, location: str) -> None:
    routes = [Route(each, PlainTextResponse("x")) for each in ("/transcribe", "/a/b", "/c/")]
    app = TestClient(ResponseHeaders(Router(routes), make_location_relative))
    answer = app.get(path, headers={"host": "elsewhere.example"}, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (307, location)
    assert app.get(path).text == "x"


def test_relative_redirect_stays() -> None:
    app = TestClient(ResponseHeaders(RedirectResponse("../docs", 308), make_location_relative))

    assert app.get("/docs/", follow_redirects=False).headers["location"] == "../docs"
