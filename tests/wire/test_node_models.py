"""OpenAI's Node SDK: models."""

from __future__ import annotations

import pytest

from tests.server import Server
from tests.wire.node_client import NODE_SDK, OpenAISdk
from tests.wire.promises import promises


@promises("Clients", f"{NODE_SDK}: `models.list`, to the end")
def test_node_sdk_lists_models(node_sdk: OpenAISdk, server: Server) -> None:
    outcome = node_sdk.call(server, "models.list")

    assert {"whisper-1", "base", "tiny.en"} <= {model["id"] for model in outcome.value}
    assert {model["object"] for model in outcome.value} == {"model"}
    assert len(outcome.requests) == 1


@promises("Clients", f"{NODE_SDK}: `models.retrieve`, of an id with a slash as well")
@pytest.mark.parametrize("model", ["whisper-1", "openai/whisper-base", "team/dictation"])
def test_node_sdk_retrieves_a_model(node_sdk: OpenAISdk, server: Server, model: str) -> None:
    outcome = node_sdk.call(server, "models.retrieve", model)

    assert (outcome.value["id"], outcome.value["object"]) == (model, "model")
    assert outcome.request_id is not None


@promises("Clients", f"{NODE_SDK}: an unknown model is a NotFoundError")
def test_node_sdk_retrieves_an_unknown_model(node_sdk: OpenAISdk, server: Server) -> None:
    error = node_sdk.call(server, "models.retrieve", "gpt-5").error

    assert (error.name, error.status) == ("NotFoundError", 404)
    assert (error.code, error.param) == ("model_not_found", "model")


@promises(
    "Clients",
    f"{NODE_SDK}: `models.delete` is a PermissionDeniedError",
    "differs",
    "Hosted models of one's own can be deleted; these are the server's.",
)
def test_node_sdk_deletes_no_model(node_sdk: OpenAISdk, server: Server) -> None:
    error = node_sdk.call(server, "models.delete", "base").error

    assert (error.name, error.status) == ("PermissionDeniedError", 403)
    assert node_sdk.call(server, "models.retrieve", "base").value["id"] == "base"
