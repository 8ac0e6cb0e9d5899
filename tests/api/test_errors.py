"""Tests of the error envelope."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from models.errors import (
    AudioError,
    ChecksumError,
    DecodingError,
    EngineStoppedError,
    ModelLoadError,
    ModelNotFoundError,
    OptionError,
    OverloadedError,
    SandboxError,
)
from tests.api.fake import TRANSCRIPTIONS, FailingTranscriber, client

FILES = {"file": ("a.wav", b"audio")}
INVALID = "invalid_request_error"
GENERIC = "The server had an internal error while it processed the request."
METHODS = ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "param", "code"),
    [
        (OptionError("language", "x"), 400, INVALID, "language", "invalid_value"),
        (AudioError("x"), 400, INVALID, "file", None),
        (ModelNotFoundError("y"), 404, INVALID, "model", "model_not_found"),
        (OverloadedError("x", 3), 503, "server_error", None, "overloaded"),
        (EngineStoppedError("x"), 503, "server_error", None, "shutting_down"),
        (DecodingError("x"), 503, "server_error", None, None),
        (SandboxError("x"), 503, "server_error", None, None),
        (ModelLoadError("y"), 503, "server_error", "model", None),
    ],
)
def test_error_of_the_models(
    error: Exception, status: int, kind: str, param: str | None, code: str | None
) -> None:
    app = client(FailingTranscriber(error))
    response = app.post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "error": {"message": str(error), "type": kind, "param": param, "code": code}
    }


@pytest.mark.parametrize(
    ("seconds", "header"), [(0.0, "1"), (2.1, "3"), (60.0, "60"), (3600.0, "60"), (-1.0, "1")]
)
def test_error_overloaded_retry_after(seconds: float, header: str) -> None:
    app = client(FailingTranscriber(OverloadedError("The queue is full.", seconds)))
    response = app.post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)
    assert response.headers["retry-after"] == header


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), ChecksumError("secret")])
def test_error_unexpected(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    app = client(FailingTranscriber(error))
    response = app.post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)
    assert response.status_code == 500
    assert response.json() == {
        "error": {"message": GENERIC, "type": "server_error", "param": None, "code": None}
    }
    request_id = response.headers["x-request-id"]
    assert caplog.messages == [f"Request {request_id} ({TRANSCRIPTIONS}) failed"]
    assert "secret" in caplog.text


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/nothing", "/v1/audio/transcriptions/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_error_unknown_path(method: str, path: str) -> None:
    response = client().request(method, path)
    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "message": f"Not Found: {method} {path}",
            "type": INVALID,
            "param": None,
            "code": None,
        }
    }


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("method", METHODS)
def test_error_wrong_method(method: str, prefix: str) -> None:
    path = f"{prefix}/audio/translations"
    response = client().request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"] == {
        "message": f"Method Not Allowed: {method} {path}",
        "type": INVALID,
        "param": None,
        "code": None,
    }


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/models", "GET"),
        ("/v1/models/a%2Fb", "DELETE, GET"),
        ("/models", "GET"),
        ("/health", "GET"),
    ],
)
def test_error_wrong_method_of_a_get(path: str, allowed: str) -> None:
    response = client().put(path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.json()["error"]["type"] == INVALID


def test_error_of_a_validated_parameter() -> None:
    app = create_app("0")

    @app.get("/number")
    def number(value: int) -> int:
        return value

    response = TestClient(app).get("/number", params={"value": "x"})
    assert response.status_code == 400
    assert response.json()["error"] == {
        "message": "value: Input should be a valid integer, unable to parse string as an integer",
        "type": INVALID,
        "param": "value",
        "code": "invalid_value",
    }


LOADING = {
    "message": "The model is loading. Try again in a few seconds.",
    "type": "server_error",
    "param": None,
    "code": "overloaded",
}


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/base", "/health"])
def test_error_loading(path: str) -> None:
    response = TestClient(create_app("0")).get(path)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json() == {"error": LOADING}


def test_error_loading_transcription() -> None:
    app = TestClient(create_app("0"))
    response = app.post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json() == {"error": LOADING}
