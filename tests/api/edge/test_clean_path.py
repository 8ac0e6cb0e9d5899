"""A path with a control character, which routes and guards may understand differently, is none."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.edge.draining import Drain
from api.edge.edge import Edge
from api.edge.keys import key_digest
from api.settings import Settings
from tests.api.fake import client

KEY = "a-key-of-the-tests"


def native(settings: Settings) -> TestClient:
    """The edge around an endpoint that takes whatever it is sent, as BentoML's do."""

    async def reached(request: Request) -> PlainTextResponse:
        return PlainTextResponse("reached")

    routes = [Route("/transcribe", reached, methods=["POST"])]
    return TestClient(Edge(Starlette(routes=routes), settings, Drain(0)))


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
