"""Tests of Azure's paths: deployments, models, and OpenAI's API below a prefix."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.dialects.azure import Azure
from api.keys import key_digest
from api.settings import Settings
from tests.api.fake import CREATED, FakeTranscriber, client

FILES = {"file": ("a.wav", b"audio")}
TEXT = "The naïve wind and the sun."
VERSION = "?api-version=2024-06-01"
AZURE = Settings(dialects=("azure",))
DEPLOYMENTS = "/openai/deployments"


def azure(*models: str, transcriber: FakeTranscriber | None = None) -> TestClient:
    """A client of a server that speaks Azure's dialect and no other."""
    return client(transcriber, *models, settings=AZURE)


@pytest.mark.parametrize("version", [VERSION, "", "?api-version=9999-preview"])
@pytest.mark.parametrize("fields", [{}, {"model": ""}, {"model": "tiny.en"}, {"model": "no such"}])
def test_deployment_is_the_model_whatever_the_form_says(
    version: str, fields: dict[str, str]
) -> None:
    path = f"{DEPLOYMENTS}/tiny.en/audio/transcriptions{version}"
    answer = azure("base", "tiny.en").post(path, data=fields, files=FILES)

    assert answer.json() == {"text": TEXT, "usage": {"type": "duration", "seconds": 4}}
    assert answer.headers["x-whisper-model"] == "tiny.en"


@pytest.mark.parametrize(
    ("deployment", "model"),
    [
        ("whisper", "base"),
        ("gpt-4o-transcribe", "base"),
        ("openai%2Fwhisper-tiny.en", "tiny.en"),
        ("openai/whisper-tiny.en", "tiny.en"),
    ],
)
def test_deployment_is_any_model_id(deployment: str, model: str) -> None:
    path = f"{DEPLOYMENTS}/{deployment}/audio/transcriptions"
    answer = azure("base", "tiny.en").post(path, files=FILES)

    assert (answer.status_code, answer.headers["x-whisper-model"]) == (200, model)


def test_deployment_translates() -> None:
    fake = FakeTranscriber()
    path = f"/openai//deployments/base/audio/translations{VERSION}"
    answer = azure(transcriber=fake).post(path, files=FILES)

    assert answer.json() == {"text": TEXT}
    assert [options.task for _, options in fake.calls] == ["translate"]


def test_deployment_streams_and_has_formats() -> None:
    path = f"{DEPLOYMENTS}/base/audio/transcriptions"
    stream = azure().post(path, data={"stream": "true"}, files=FILES)
    text = azure().post(path, data={"response_format": "text"}, files=FILES)

    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.text.endswith("data: [DONE]\n\n")
    assert text.text == f"{TEXT}\n"


@pytest.mark.parametrize("task", ["transcriptions", "translations"])
def test_unknown_deployment_is_told_before_the_body_is_read(task: str) -> None:
    answer = azure().post(f"{DEPLOYMENTS}/mine/audio/{task}", content=b"no form")

    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "The deployment 'mine' does not exist.",
        "type": "invalid_request_error",
        "param": None,
        "code": "DeploymentNotFound",
    }


def test_fields_are_checked_as_ever() -> None:
    path = f"{DEPLOYMENTS}/base/audio/transcriptions"
    answer = azure().post(path, data={"language": "klingon"}, files=FILES)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "language")


@pytest.mark.parametrize("path", ["/openai/models", "/openai/v1/models"])
def test_models(path: str) -> None:
    listed = azure().get(f"{path}{VERSION}").json()

    assert [model["id"] for model in listed["data"]] == ["whisper-1", "base", "whisper-base"]
    assert azure().get(f"{path}/whisper-1").json()["created"] == CREATED
    assert azure().get(f"{path}/mine").json()["error"]["code"] == "model_not_found"


def test_prefix_is_openais_api() -> None:
    answer = azure().post(
        "/openai/v1/audio/transcriptions", data={"model": "whisper-1"}, files=FILES
    )

    assert answer.json() == {"text": TEXT, "usage": {"type": "duration", "seconds": 4}}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/openai/deployments/base/audio/transcriptions", 405),
        ("GET", "/openai/v1/audio/translations", 405),
        ("POST", "/openai/deployments/base/chat/completions", 404),
        ("POST", "/openai/deployments/audio/transcriptions", 404),
        ("POST", "/openai/audio/transcriptions", 404),
        ("GET", "/openai", 404),
        ("GET", "/openai/v1", 404),
    ],
)
def test_other_paths_and_methods(method: str, path: str, status: int) -> None:
    answer = azure().request(method, path)

    assert answer.status_code == status
    assert path in answer.json()["error"]["message"]


def test_key_is_azures_or_openais() -> None:
    key = "a-key-of-the-tests"
    app = client(settings=Settings(dialects=("azure",), api_keys=(key_digest(key),)))
    path = f"{DEPLOYMENTS}/base/audio/transcriptions"
    good = [{"api-key": key}, {"authorization": f"Bearer {key}"}]

    assert [app.post(path, files=FILES, headers=each).status_code for each in good] == [200, 200]
    assert app.post(path, files=FILES).status_code == 401


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/openai/deployments/a/b/audio/translations", "{}/deployments/{deployment}{audio}lations"),
        (
            "/openai/deployments/a/audio/transcriptions",
            "{}/deployments/{deployment}{audio}criptions",
        ),
        ("/openai/models", "{}/models"),
        ("/openai/models/a/b", "{}/models/{model}"),
        ("/openai/v1/models/a/b", "{}/v1/models/{model}"),
        ("/openai/v1/audio/transcriptions", "{}/v1{audio}criptions"),
        ("/openai/v1/anything", "other"),
    ],
)
def test_endpoint_has_no_name_of_a_client(path: str, endpoint: str) -> None:
    named = endpoint.replace("{}", "/openai").replace("{audio}", "/audio/trans")

    assert Azure().endpoint({"path": path}) == named


@pytest.mark.parametrize("path", ["/v1/models", "/openai", "/openai/v1", "/openai/chat", "/"])
def test_endpoint_of_others(path: str) -> None:
    assert Azure().endpoint({"path": path}) is None


def test_off_by_setting() -> None:
    app = client(settings=Settings(dialects=("groq",)))

    assert app.post(f"{DEPLOYMENTS}/base/audio/transcriptions", files=FILES).status_code == 404
    assert app.get("/openai/models").status_code == 404
    assert app.get("/openai/v1/models").status_code == 200
