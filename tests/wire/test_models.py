"""The list of models."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server import Server
from tests.wire.http import SECONDS, TEXT, error_of, post
from tests.wire.promises import promises

HOSTED = [
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
    "gpt-live-transcribe",
]
IDS = ["whisper-1", "base", "whisper-base", "tiny.en", "whisper-tiny.en"]


def listed(server: Server) -> dict[str, Any]:
    """What GET /v1/models answers."""
    return dict(httpx.get(f"{server.url}/v1/models", timeout=SECONDS).json())


@promises("Models", "GET /v1/models: every id, in one page")
def test_list(server: Server) -> None:
    body = listed(server)

    assert list(body) == ["object", "data"]
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]][: len(IDS)] == IDS


@promises("Models", "aliases are listed, those of WHISPER_ALIASES too", "extension")
def test_list_has_aliases(server: Server) -> None:
    ids = [model["id"] for model in listed(server)["data"]]

    assert ids[len(IDS) :] == ["gpt-4o-transcribe", "team/dictation"]


@promises(
    "Models", "a model: `id`, `object`, a `created` that stays, `owned_by`, `shutdown_date` of null"
)
def test_list_model(server: Server) -> None:
    first, again = listed(server)["data"], listed(server)["data"]

    assert first == again
    members = ("id", "object", "created", "owned_by", "shutdown_date")
    assert {tuple(model) for model in first} == {members}
    assert {model["shutdown_date"] for model in first} == {None}
    assert {model["object"] for model in first} == {"model"}
    assert all(1_600_000_000 < model["created"] < 2**32 for model in first)


@promises("Models", "GET /v1/models/{id}: each listed id, as it is listed")
def test_retrieve_every_listed_id(server: Server) -> None:
    for model in listed(server)["data"]:
        assert httpx.get(f"{server.url}/v1/models/{model['id']}", timeout=SECONDS).json() == model


@promises("Models", "ids with a slash, escaped as `%2F` or not")
@pytest.mark.parametrize("path", ["openai/whisper-base", "openai%2Fwhisper-base"])
def test_retrieve_id_with_slash(server: Server, path: str) -> None:
    assert (
        httpx.get(f"{server.url}/v1/models/{path}", timeout=SECONDS).json()["id"]
        == "openai/whisper-base"
    )


@promises(
    "Models",
    "OpenAI's ids mean the default model: `whisper-1`, `gpt-4o-transcribe`, "
    "`gpt-4o-mini-transcribe`, `gpt-4o-transcribe-diarize`, `gpt-transcribe`, "
    "`gpt-live-transcribe`",
    "extension",
    "they are answered one by one and, but for `whisper-1`, not listed",
)
@pytest.mark.parametrize("model_id", HOSTED)
def test_hosted_id(server: Server, model_id: str) -> None:
    assert httpx.get(f"{server.url}/v1/models/{model_id}", timeout=SECONDS).json()["id"] == model_id
    answer = post(server, {"model": model_id})

    assert (answer.json()["text"], answer.headers["x-whisper-model"]) == (TEXT, "base")


@promises(
    "Models",
    "names of checkpoints at Groq and Hugging Face: `whisper-large-v3-turbo`, "
    "`Systran/faster-whisper-small`",
    "extension",
    "the checkpoint if it is served, else the default model; the header `x-whisper-model` says "
    "which has answered",
)
@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("whisper-large-v3-turbo", "base"),
        ("Systran/faster-whisper-tiny.en", "tiny.en"),
        ("openai/whisper-small", "base"),
    ],
)
def test_public_name(server: Server, model_id: str, name: str) -> None:
    answer = post(server, {"model": model_id})

    assert (answer.json()["text"], answer.headers["x-whisper-model"]) == (TEXT, name)


@promises("Models", "an unknown id: 404, `model_not_found`")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("model_id", ["gpt-5", "ft:a:b", "org%2Fmodel"])
def test_unknown_id(server: Server, method: str, model_id: str) -> None:
    error = error_of(
        httpx.request(method, f"{server.url}/v1/models/{model_id}", timeout=SECONDS), 404
    )

    assert (error["type"], error["param"]) == ("invalid_request_error", "model")
    assert error["code"] == "model_not_found"
    assert error["message"] == f"The model '{model_id.replace('%2F', '/')}' does not exist"


@promises(
    "Models",
    "DELETE /v1/models/{id}: 403 for a model of the server",
    "differs",
    "hosted deletes fine-tuned models; here `whisper-bento models delete` does",
)
@pytest.mark.parametrize("model_id", ["whisper-1", "openai%2Fwhisper-base"])
def test_delete(server: Server, model_id: str) -> None:
    error = error_of(httpx.delete(f"{server.url}/v1/models/{model_id}", timeout=SECONDS), 403)

    assert (error["type"], error["param"]) == ("invalid_request_error", "model")
    assert model_id.replace("%2F", "/") in [model["id"] for model in listed(server)["data"]] + [
        "openai/whisper-base"
    ]
