"""Tests of the model list, health, headers and the app's own documentation."""

from __future__ import annotations

import re

import pytest

from tests.api.fake import CREATED, client


def model(model_id: str) -> dict[str, object]:
    """A model as the API describes it."""
    return {
        "id": model_id,
        "object": "model",
        "created": CREATED,
        "owned_by": "whisper-bento",
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
        "loaded": ["base", "tiny.en"],
        "device": "cpu",
        "dtype": "float32",
        "version": "1.2.3",
    }


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
