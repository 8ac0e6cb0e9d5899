"""Azure's paths, by the classes that clients have for Azure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from tests.server import Server
from tests.wire.conftest import KEY
from tests.wire.http import CLIP, SECONDS, TEXT, error_of, parts
from tests.wire.node_client import NODE_SDK, Node, OpenAISdk, vercel_by
from tests.wire.promises import promises

SDK = "OpenAI's Python SDK, `AzureOpenAI`"
VERSION = "2024-06-01"


def azure(server: Server, **options: Any) -> openai.AzureOpenAI:
    """The SDK's class for Azure, which checks every answer against its types."""
    return openai.AzureOpenAI(
        azure_endpoint=server.url,
        api_key="unused",
        api_version=VERSION,
        max_retries=0,
        _strict_response_validation=True,
        **options,
    )


def at_prefix(server: Server) -> openai.OpenAI:
    """The SDK at Azure's newer address, which has no versions."""
    return openai.OpenAI(
        base_url=f"{server.url}/openai/v1",
        api_key="unused",
        max_retries=0,
        _strict_response_validation=True,
    )


CLIENTS: list[Callable[[Server], openai.OpenAI]] = [
    azure,
    lambda server: azure(server, azure_deployment="tiny.en"),
    at_prefix,
]
IDS = ["model", "deployment", "v1"]


def post(server: Server, path: str, **options: Any) -> httpx.Response:
    """The answer to a recording alone, without a model."""
    return httpx.post(f"{server.url}{path}", files=parts({}), timeout=SECONDS, **options)


@promises(
    "Azure", f"{SDK}, with and without `azure_deployment`; `OpenAI` at `/openai/v1`", "as there"
)
@pytest.mark.parametrize("made", CLIENTS, ids=IDS)
def test_azure_transcription(server: Server, made: Callable[[Server], openai.OpenAI]) -> None:
    answer = made(server).audio.transcriptions.with_raw_response.create(model="tiny.en", file=CLIP)

    assert answer.parse().text == TEXT
    assert answer.headers["x-whisper-model"] == "tiny.en"


@promises("Azure", f"{SDK}: streams, and the list of models", "as there")
@pytest.mark.parametrize("made", CLIENTS, ids=IDS)
def test_azure_streams_and_lists(server: Server, made: Callable[[Server], openai.OpenAI]) -> None:
    client = made(server)
    events = client.audio.transcriptions.create(model="tiny.en", file=CLIP, stream=True)

    assert list(events)[-1].text == TEXT  # type: ignore[union-attr]
    assert "whisper-1" in [model.id for model in client.models.list()]
    assert client.models.retrieve("base").id == "base"


@promises(
    "Azure",
    "`/openai/deployments/{deployment}/audio/transcriptions` and `translations`; a file will do",
    "as there",
)
@pytest.mark.parametrize("task", ["transcriptions", "translations"])
def test_azure_deployment_without_a_model(server: Server, task: str) -> None:
    answer = post(server, f"/openai/deployments/base/audio/{task}?api-version={VERSION}")

    assert answer.json()["text"].lower().startswith("in being")
    assert answer.headers["x-whisper-model"] == "base"


@promises(
    "Azure", "a deployment is any model id, percent-encoded where it has a slash", "extension"
)
@pytest.mark.parametrize(
    ("deployment", "model"), [("team%2Fdictation", "tiny.en"), ("whisper", "base")]
)
def test_azure_deployment_by_any_id(server: Server, deployment: str, model: str) -> None:
    answer = post(server, f"/openai/deployments/{deployment}/audio/transcriptions")

    assert (answer.status_code, answer.headers["x-whisper-model"]) == (200, model)


@promises("Azure", "any `api-version`, or none; an endpoint that ends in a slash", "extension")
@pytest.mark.parametrize(
    "path",
    [
        "//openai/deployments/tiny.en/audio/transcriptions?api-version=2099-01-01-preview",
        "/openai/deployments/tiny.en/audio/transcriptions",
    ],
)
def test_azure_any_version(server: Server, path: str) -> None:
    assert post(server, path).json()["text"] == TEXT


@promises("Azure", "an unknown deployment: 404, `DeploymentNotFound`", "as there")
def test_azure_unknown_deployment(server: Server) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        azure(server).audio.transcriptions.create(model="mine", file=CLIP)

    assert caught.value.code == "DeploymentNotFound"


@promises("Azure", "`api-key: KEY` or `Authorization: Bearer KEY`; 401 without", "as there")
def test_azure_keys(guarded: Server) -> None:
    path = "/openai/deployments/whisper-1/audio/transcriptions"
    sent = [{"api-key": KEY}, {"authorization": f"Bearer {KEY}"}]

    assert [post(guarded, path, headers=each).json()["text"] for each in sent] == [TEXT, TEXT]
    assert error_of(post(guarded, path), 401)["type"] == "invalid_request_error"


@promises("Azure", f"{NODE_SDK}, `AzureOpenAI`, with and without `deployment`", "as there")
@pytest.mark.parametrize("options", [{}, {"deployment": "tiny.en"}])
def test_azure_node(node_sdk: OpenAISdk, server: Server, options: dict[str, str]) -> None:
    assert node_sdk.by_azure(server, "tiny.en", **options).value["text"] == TEXT


@promises("Azure", "Vercel's `@ai-sdk/azure` with `useDeploymentBasedUrls`", "as there")
def test_azure_vercel(node: Node, server: Server) -> None:
    settings = {"useDeploymentBasedUrls": True, "apiVersion": VERSION}
    result = vercel_by(node, server, "azure", "/openai", "whisper-1", **settings).value

    assert result["text"] == TEXT
    assert [segment["text"].strip() for segment in result["segments"]] == [TEXT]


@promises("Azure", "other paths below `/openai` are a 404 in OpenAI's envelope", "extension")
@pytest.mark.parametrize("path", ["/openai", "/openai/v1/files", "/openai/deployments/a/chat"])
def test_azure_unknown_path(server: Server, path: str) -> None:
    assert path in str(error_of(httpx.get(f"{server.url}{path}", timeout=SECONDS), 404)["message"])


@promises("Azure", "another method is a 405 with `allow`", "extension")
@pytest.mark.parametrize("path", ["deployments/base/audio/transcriptions", "v1/audio/translations"])
def test_azure_other_method(server: Server, path: str) -> None:
    answer = httpx.get(f"{server.url}/openai/{path}", timeout=SECONDS)

    assert error_of(answer, 405)
    assert answer.headers["allow"] == "POST"
