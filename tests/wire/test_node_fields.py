"""OpenAI's Node SDK: objects, arrays and booleans as it writes them into forms."""

from __future__ import annotations

from tests.server import Server
from tests.wire.http import TEXT
from tests.wire.node_client import NODE_SDK, OpenAISdk
from tests.wire.promises import promises

OTHERS = "Hosted, gpt-transcribe alone takes them."


@promises(
    "Clients",
    f"{NODE_SDK}: `chunking_strategy` as an object, with its fields in brackets",
    "extension",
    "Hosted whisper-1 cannot be told how to cut.",
)
def test_node_sdk_object(node_sdk: OpenAISdk, server: Server) -> None:
    heard, refused = (
        node_sdk.transcribe(server, chunking_strategy={"type": "server_vad", "threshold": value})
        for value in (0.4, 4)
    )

    assert heard.value["text"] == TEXT
    assert "chunking_strategy[threshold]" in heard.requests[0].fields
    assert (refused.error.status, refused.error.param) == (400, "chunking_strategy")
    assert "threshold" in refused.error.message


@promises("Clients", f"{NODE_SDK}: `languages` as an array", "extension", OTHERS)
def test_node_sdk_array_of_languages(node_sdk: OpenAISdk, server: Server) -> None:
    languages = ["de", "fr"]
    outcome = node_sdk.transcribe(
        server, model="whisper-1", languages=languages, response_format="verbose_json"
    )

    # It is English.
    assert outcome.value["language"] in ("german", "french")
    assert outcome.requests[0].fields.count("languages[]") == 2


@promises("Clients", f"{NODE_SDK}: `keywords` as an array", "extension", OTHERS)
def test_node_sdk_array_of_keywords(node_sdk: OpenAISdk, server: Server) -> None:
    heard = node_sdk.transcribe(server, keywords=["Comparatively", "Kubernetes"])
    too_many = node_sdk.transcribe(server, keywords=["Kubernetes"] * 60)

    assert heard.value["text"].lower() == TEXT
    assert heard.requests[0].fields.count("keywords[]") == 2
    assert (too_many.error.status, too_many.error.param) == (400, "keywords")


@promises("Clients", f"{NODE_SDK}: booleans, `stream: false` among them")
def test_node_sdk_booleans(node_sdk: OpenAISdk, server: Server) -> None:
    outcome = node_sdk.transcribe(server, stream=False, condition_on_previous_text=True)

    assert outcome.value["text"] == TEXT
    assert {"stream", "condition_on_previous_text"} <= set(outcome.requests[0].fields)


@promises(
    "Clients",
    f"{NODE_SDK}: `include: ['logprobs']` in json",
    "extension",
    "Hosted whisper-1 has no log-probabilities.",
)
def test_node_sdk_logprobs(node_sdk: OpenAISdk, server: Server) -> None:
    tokens = node_sdk.transcribe(server, include=["logprobs"]).value["logprobs"]

    assert b"".join(bytes(token["bytes"]) for token in tokens) == TEXT.encode()
    assert all(token["logprob"] <= 0 for token in tokens)
