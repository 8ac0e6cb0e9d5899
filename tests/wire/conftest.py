"""The servers that the promises are kept by, and clients of OpenAI's SDK."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import openai
import pytest

from models.checkpoints.weights import Weights
from tests.server import Server, serving, strict_sdk
from tests.wire.node_client import Node, OpenAISdk, installed_node

KEY = "an-api-key-of-the-tests"


@pytest.fixture(scope="session")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """An open server of `base`, the default model, and `tiny.en`, in float32."""
    weights("base"), weights("tiny.en")
    with serving(
        tmp_path_factory.mktemp("server") / "output.txt",
        WHISPER_MODELS="base,tiny.en",
        WHISPER_DTYPE="float32",
        WHISPER_ALIASES="gpt-4o-transcribe=base,team/dictation=tiny.en",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def guarded(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` that asks for `KEY` and takes 1 MiB and 5 seconds at most."""
    weights("tiny.en")
    with serving(
        tmp_path_factory.mktemp("guarded") / "output.txt",
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_API_KEYS=f"another-key,{KEY}",
        WHISPER_MAX_UPLOAD_MIB="1",
        WHISPER_TIMEOUT="5",
    ) as running:
        yield running


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    """OpenAI's SDK, which checks every answer against its types."""
    with strict_sdk(server) as client:
        yield client


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with its clients; where there is none tests are skipped, which CI must not do."""
    if found := installed_node():
        return found
    refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    return refuse("the Node clients are not installed: run scripts/setup-node")


@pytest.fixture(params=[6, 7], ids=["openai6", "openai7"])
def node_sdk(request: pytest.FixtureRequest, node: Node) -> OpenAISdk:
    """OpenAI's Node SDK, in both majors that are in use."""
    return OpenAISdk(node, request.param)
