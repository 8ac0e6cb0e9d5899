"""Paths that routes and guards may understand differently: control characters, double slashes."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.keys import key_digest
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.settings import Settings
from tests.api.fake import client

KEY = "a-key-of-the-tests"
# Before a path: without it, two slashes would begin an address.
HERE = "http://testserver"


def native(settings: Settings) -> TestClient:
    """The edge around an endpoint that takes whatever it is sent, as BentoML's do."""

    async def reached(request: Request) -> PlainTextResponse:
        return PlainTextResponse("reached")

    routes = [Route("/transcribe", reached, methods=["POST"])]
    return TestClient(MiddlewareStack(Starlette(routes=routes), settings, Drain(0)))


def post_json(settings: Settings, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """The status and the message of the answer to a body that is no form."""
    answer = native(settings).post(path, json={"file": "http://127.0.0.1/a"}, headers=headers)
    return answer.status_code, str(json.loads(answer.text)["error"]["message"])


@pytest.mark.parametrize("ending", ["%0A", "%0a", "%0D", "%00", "%7F", "%C2%85"])
def test_body_is_checked_whatever_the_path(ending: str) -> None:
    assert post_json(Settings(), "/transcribe", {})[0] == 400
    status, message = post_json(Settings(), f"/transcribe{ending}", {})

    assert status == 404
    assert message.startswith("Not Found: POST /transcribe")


@pytest.mark.parametrize("path", ["/v1/models%0A", "/livez%0A", "/v1/models/base%00", "/%0Anone"])
def test_no_endpoint_has_such_a_path(path: str) -> None:
    answer = client().get(path)

    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Not Found: GET /")


def test_key_is_asked_for_first() -> None:
    settings = Settings(api_keys=(key_digest(KEY),))

    assert post_json(settings, "/transcribe%0A", {})[0] == 401
    assert post_json(settings, "/transcribe%0A", {"api-key": KEY})[0] == 404


@pytest.mark.parametrize("path", ["/v1/models/none%20", "/v1/models/n%C3%B6", "/v1/models/%F0%9F"])
def test_other_characters_are_a_name_like_any(path: str) -> None:
    assert client().get(path).json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    "path",
    [
        "//v1/models",
        "/v1//models",
        "///v1///models",
        "/%2Fv1/%2f/models",
        "//models",
        "/v1/models//base",
    ],
)
def test_repeated_slashes_are_one(path: str) -> None:
    answer = client().get(f"{HERE}{path}")

    assert answer.status_code == 200
    assert "base" in answer.text


@pytest.mark.parametrize("path", ["//v1/models", "/v1//models", "/%2Fv1/models", "//transcribe"])
def test_key_is_asked_for_whatever_the_slashes(path: str) -> None:
    settings = Settings(api_keys=(key_digest(KEY),))

    assert client(settings=settings).get(f"{HERE}{path}").status_code == 401


def test_probe_needs_no_key_whatever_the_slashes() -> None:
    asked = client(settings=Settings(api_keys=(key_digest(KEY),)))

    # This app has no probes: without a key they are not found, and others are refused.
    assert asked.get(f"{HERE}//livez").status_code == asked.get("/livez").status_code == 404
    assert asked.get(f"{HERE}//lives").status_code == 401


@pytest.mark.parametrize("path", ["//transcribe", "/%2Ftranscribe", "////transcribe"])
def test_body_is_checked_whatever_the_slashes(path: str) -> None:
    status, message = post_json(Settings(), f"{HERE}{path}", {})

    assert status == 400
    assert message.startswith("The body must be multipart/form-data")


@pytest.mark.parametrize(
    "path", ["//v1/models%0A", "/v1/models//", "//transcribe%0A/", "/v1/m/odels"]
)
def test_merged_path_may_be_none(path: str) -> None:
    assert client().get(f"{HERE}{path}").status_code == 404


def test_routes_and_guards_see_one_path() -> None:
    seen: dict[str, object] = {}

    async def note(request: Request) -> PlainTextResponse:
        seen.update(path=request.scope["path"], raw=request.scope["raw_path"], url=request.url.path)
        return PlainTextResponse("seen")

    app = Starlette(routes=[Route("/a/{rest:path}", note)])
    TestClient(MiddlewareStack(app, Settings(), Drain(0))).get(f"{HERE}//a//%2f%C3%B6//b?c=//d")

    assert seen == {"path": "/a/ö/b", "raw": b"/a/%C3%B6/b", "url": "/a/ö/b"}
