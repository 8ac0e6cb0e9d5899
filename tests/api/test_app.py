"""Tests of the model list, health, headers and the app's own documentation."""

from __future__ import annotations

import json
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


def test_openapi() -> None:
    schema = client().get("/openapi.json").json()
    assert list(schema["paths"]) == [
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/audio/detect-language",
        "/v1/models",
        "/v1/models/{model_id}",
        "/health",
    ]


# Beyond OpenAI's.
DECODING = [
    "compression_ratio_threshold",
    "logprob_threshold",
    "no_speech_threshold",
    "drop_logprob_threshold",
    "drop",
    "condition_on_previous_text",
    "carry_initial_prompt",
]
SUBTITLES = [
    "max_line_width",
    "max_line_count",
    "max_words_per_line",
    "min_cue_duration",
    "max_cue_duration",
]
TRANSLATION_FIELDS = [
    "file",
    "model",
    *DECODING,
    *SUBTITLES,
    "prompt",
    "response_format",
    "temperature",
    "chunking_strategy",
]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (
            "/v1/audio/transcriptions",
            [
                *TRANSLATION_FIELDS,
                "language",
                "languages",
                "keywords",
                "hotwords",
                "timestamp_granularities",
                "include",
                "known_speaker_names",
                "known_speaker_references",
                "stream",
            ],
        ),
        ("/v1/audio/translations", TRANSLATION_FIELDS),
    ],
)
def test_openapi_form(path: str, fields: list[str]) -> None:
    operation = client().get("/openapi.json").json()["paths"][path]["post"]
    body = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert list(body["properties"]) == fields
    assert body["required"] == ["file", "model"]
    statuses = ["200", "400", "401", "404", "413", "500", "503", "504"]
    assert list(operation["responses"]) == statuses
    content = ["application/json", "text/plain"]
    content += ["text/event-stream"] if "stream" in fields else []
    assert list(operation["responses"]["200"]["content"]) == content


def test_openapi_references_are_in_the_document() -> None:
    document = client().get("/openapi.json").json()
    references = re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document))
    assert set(references) <= set(document["components"]["schemas"])
    assert json.dumps(document).count('"$ref"') == len(references)
