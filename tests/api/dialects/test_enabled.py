"""Tests of which dialects are on, and of what is told of their requests."""

from __future__ import annotations

import asyncio

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.dialects.enabled import enabled
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.settings import Settings
from api.telemetry.observe import Observed
from tests.api.fake import client

PATHS = {"asr-webservice": "/asr", "whisper-cpp": "/inference"}


@pytest.mark.parametrize("name", PATHS)
def test_a_dialect_that_is_off_has_no_paths(name: str) -> None:
    answer = client(settings=Settings(dialects=())).post(PATHS[name])

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Not Found: POST {PATHS[name]}"
    assert enabled(Settings(dialects=())) == ()


@pytest.mark.parametrize(
    ("path", "kind"), [("/asr", {"detail": str}), ("/inference", {"error": str})]
)
def test_a_server_that_ends_says_so_in_the_dialect(path: str, kind: dict[str, type]) -> None:
    drain = Drain(0)

    async def begin() -> None:
        drain.begin()

    asyncio.run(begin())
    dialects = enabled(Settings())
    app = create_app("1.2.3", dialects=dialects)
    answer = TestClient(MiddlewareStack(app, Settings(), drain, dialects=dialects)).post(path)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert {name: type(value) for name, value in answer.json().items()} == kind


@pytest.mark.parametrize(
    ("path", "part"),
    [("/asr", "audio_file"), ("/detect-language", "audio_file"), ("/inference", "file")],
)
def test_until_the_models_are_loaded_it_is_503_in_the_dialect(path: str, part: str) -> None:
    dialects = enabled(Settings())
    app = create_app("1.2.3", dialects=dialects)
    edge = MiddlewareStack(app, Settings(), Drain(0), dialects=dialects)
    answer = TestClient(edge).post(path, files={part: ("a", b"x")})

    assert answer.status_code == 503
    assert "The model is loading." in next(iter(answer.json().values()))


@pytest.mark.parametrize(("name", "path"), PATHS.items())
def test_a_request_is_told_with_its_dialect_and_endpoint(name: str, path: str) -> None:
    told: list[Observed] = []
    settings = Settings.from_environ({"WHISPER_API_KEYS": "k" * 8, "WHISPER_DIALECTS": name})
    dialects = enabled(settings)
    app = create_app("1.2.3", dialects=dialects)
    edge = TestClient(MiddlewareStack(app, settings, Drain(0), [told.append], dialects))
    edge.post(path)
    edge.post("/v1/audio/transcriptions")

    assert [(each.dialect, each.endpoint, each.status) for each in told] == [
        (name, path, 401),
        ("openai", "/v1/audio/transcriptions", 401),
    ]
