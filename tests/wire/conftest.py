"""The servers that the promises are kept by, and clients of OpenAI's SDK."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import httpx
import openai
import pytest

from models.checkpoints.weights import Weights
from tests.certificates import self_signed
from tests.receiver import SECRET, Receiver, receiving
from tests.server import Server, free_port, serving, serving_over_tls, strict_sdk
from tests.speech_clips import FORMATS
from tests.wire.node_client import Node, OpenAISdk, installed_node
from tests.wire.wyoming_home import SECONDS, Home

KEY = "an-api-key-of-the-tests"


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A receiver of the webhooks of `server`."""
    with receiving() as found:
        yield found


@pytest.fixture(scope="session")
def server(
    weights: Callable[[str], Weights],
    tmp_path_factory: pytest.TempPathFactory,
    receiver: Receiver,
) -> Iterator[Server]:
    """An open server of `base`, the default model, and `tiny.en`, in float32."""
    weights("base"), weights("tiny.en")
    with serving(
        tmp_path_factory.mktemp("server") / "output.txt",
        WHISPER_MODELS="base,tiny.en",
        WHISPER_DTYPE="float32",
        WHISPER_PADDING="thin",
        WHISPER_ALIASES="gpt-4o-transcribe=base,team/dictation=tiny.en",
        WHISPER_WEBHOOK_HOSTS=f"127.0.0.1:{receiver.port}",
        WHISPER_WEBHOOK_SECRET=SECRET,
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


@pytest.fixture(scope="session")
def home(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A server of `tiny.en` that Wyoming's clients are told of."""
    weights("tiny.en")
    port = free_port()
    with serving(
        tmp_path_factory.mktemp("home") / "output.txt",
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_DTYPE="float32",
        WHISPER_PADDING="thin",
        WHISPER_WYOMING_PORT=str(port),
    ) as server:
        yield Home(server, port)


@pytest.fixture(scope="session")
def home_text(home: Home) -> str:
    """What HTTP says to the sound of `pcm`."""
    with (FORMATS / "jfk-16k.wav").open("rb") as file:
        answer = httpx.post(
            f"{home.server.url}/v1/audio/transcriptions",
            files={"file": file},
            data={"model": "whisper-1", "language": "en"},
            timeout=SECONDS,
        )
    found = answer.json()["text"]
    assert "ask not what your country can do for you" in found
    return str(found)


@pytest.fixture(scope="session")
def secure(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of `tiny.en` that asks for `KEY`, over TLS, with a certificate of its own."""
    weights("tiny.en")
    folder = tmp_path_factory.mktemp("secure")
    with serving_over_tls(
        folder / "output.txt",
        self_signed(folder),
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_API_KEYS=KEY,
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
