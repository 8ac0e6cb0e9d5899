"""Tests of the model list, health, headers and the app's own documentation."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.keys import key_digest
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.settings import Settings
from tests.api.fake import CREATED, client


def model(model_id: str) -> dict[str, object]:
    """A model as the API describes it."""
    return {
        "id": model_id,
        "object": "model",
        "created": CREATED,
        "owned_by": "whisper-bento",
        "shutdown_date": None,
    }


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
def test_models(path: str) -> None:
    response = client(None, "base", "large-v3").get(path)
    assert response.status_code == 200
    ids = ["whisper-1", "base", "whisper-base", "large-v3", "whisper-large-v3", "large"]
    assert response.json() == {"object": "list", "data": [model(model_id) for model_id in ids]}


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize(
    ("path", "model_id"),
    [
        ("base", "base"),
        ("whisper-1", "whisper-1"),
        ("openai/whisper-base", "openai/whisper-base"),
        ("openai%2Fwhisper-base", "openai/whisper-base"),
        ("gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe"),
        ("Systran%2Ffaster-whisper-small", "Systran/faster-whisper-small"),
    ],
)
def test_model(prefix: str, path: str, model_id: str) -> None:
    response = client().get(f"{prefix}/models/{path}")
    assert response.status_code == 200
    assert response.json() == model(model_id)


@pytest.mark.parametrize(
    ("path", "model_id"), [("ft:a:b", "ft:a:b"), ("org%2Fmodel-x", "org/model-x"), ("", "")]
)
def test_model_unknown(path: str, model_id: str) -> None:
    response = client().get(f"/v1/models/{path}")
    assert response.status_code == 404
    assert response.json()["error"] == {
        "message": f"The model '{model_id}' does not exist",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_health() -> None:
    response = client(None, "base", "tiny.en").get("/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "default_model": "base",
        "models": ["base", "tiny.en"],
        "device": "cpu",
        "dtype": "float32",
        "version": "1.2.3",
        "queue": {"running": 0, "waiting": 0, "seconds": 0},
        "cancelled": {"requests": 0, "windows": 0},
        "limits": {"upload_bytes": 25 * 1024 * 1024, "audio_seconds": 43_200},
        "jobs": None,
        "loaded": [
            {
                "name": name,
                "device": "cpu",
                "dtype": "float32",
                "slots": 8,
                "running": 0,
                "waiting": 0,
            }
            for name in ("base", "tiny.en")
        ],
    }


def test_health_without_a_key_is_its_status_alone() -> None:
    key = "a-key-of-the-tests"
    app = client(settings=Settings(api_keys=(key_digest(key),)))
    answer = app.get("/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert len(app.get("/health", headers={"api-key": key}).json()) > 1


def test_health_without_a_key_while_models_load() -> None:
    settings = Settings(api_keys=(key_digest("a-key-of-the-tests"),))
    app = TestClient(MiddlewareStack(create_app("0"), settings, Drain(0)))

    assert app.get("/health").status_code == 503


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/models/none", "/v1/none", "/none"])
def test_headers(path: str) -> None:
    headers = client().get(path).headers
    assert re.fullmatch(r"req_[0-9a-f]{32}", headers["x-request-id"])
    assert re.fullmatch(r"[0-9]+", headers["openai-processing-ms"])
    assert headers["openai-version"] == "2020-10-01"


def test_headers_request_id_is_new_each_time() -> None:
    app = client()
    ids = {app.get("/health").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
