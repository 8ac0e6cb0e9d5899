"""The list of models."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server import Server
from tests.wire.http import error_of
from tests.wire.promises import promises

IDS = ["whisper-1", "base", "whisper-base", "tiny.en", "whisper-tiny.en"]


def listed(server: Server) -> dict[str, Any]:
    """What GET /v1/models answers."""
    return dict(httpx.get(f"{server.url}/v1/models").json())


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


@promises("Models", "a model: `id`, `object`, a `created` that stays, `owned_by`")
def test_list_model(server: Server) -> None:
    first, again = listed(server)["data"], listed(server)["data"]

    assert first == again
    assert {tuple(model) for model in first} == {("id", "object", "created", "owned_by")}
    assert {model["object"] for model in first} == {"model"}
    assert all(model["created"] > 1_600_000_000 for model in first)


@promises("Models", "GET /v1/models/{id}: each listed id, as it is listed")
def test_retrieve_every_listed_id(server: Server) -> None:
    for model in listed(server)["data"]:
        assert httpx.get(f"{server.url}/v1/models/{model['id']}").json() == model


@promises("Models", "ids with a slash, escaped as `%2F` or not")
@pytest.mark.parametrize("path", ["openai/whisper-base", "openai%2Fwhisper-base"])
def test_retrieve_id_with_slash(server: Server, path: str) -> None:
    assert httpx.get(f"{server.url}/v1/models/{path}").json()["id"] == "openai/whisper-base"


@promises("Models", "an unknown id: 404, `model_not_found`")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("model_id", ["gpt-5", "ft:a:b", "org%2Fmodel"])
def test_unknown_id(server: Server, method: str, model_id: str) -> None:
    error = error_of(httpx.request(method, f"{server.url}/v1/models/{model_id}"), 404)

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
    error = error_of(httpx.delete(f"{server.url}/v1/models/{model_id}"), 403)

    assert (error["type"], error["param"]) == ("invalid_request_error", "model")
    assert model_id.replace("%2F", "/") in [model["id"] for model in listed(server)["data"]] + [
        "openai/whisper-base"
    ]
