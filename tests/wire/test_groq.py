"""Groq's clients, which find OpenAI's API below `/openai/v1`."""

from __future__ import annotations

from collections.abc import Iterator

import groq
import httpx
import pytest

from tests.server import Server
from tests.wire.http import CLIP, SECONDS, TEXT, parts
from tests.wire.node_client import Node, groq_sdk, vercel_by
from tests.wire.promises import promises

MODEL = "whisper-large-v3-turbo"
PREFIX = "/openai/v1/audio"


@pytest.fixture
def client(server: Server) -> Iterator[groq.Groq]:
    """Groq's SDK, which checks every answer against its types."""
    with groq.Groq(
        base_url=server.url, api_key="unused", max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


@promises("Groq", "Groq's Python SDK, by Groq's model names", "as there")
@pytest.mark.parametrize("model", [MODEL, "whisper-large-v3", "distil-whisper-large-v3-en"])
def test_groq_python(client: groq.Groq, model: str) -> None:
    answer = client.audio.transcriptions.with_raw_response.create(model=model, file=CLIP)

    assert answer.parse().text == TEXT
    # None of these is served, so the default model is.
    assert answer.headers["x-whisper-model"] == "base"


@promises("Groq", "Groq's Python SDK: verbose_json, translations, a file as bytes", "as there")
def test_groq_python_formats(client: groq.Groq) -> None:
    sent = ("a.flac", CLIP.read_bytes())
    verbose = client.audio.transcriptions.create(
        model=MODEL, file=sent, response_format="verbose_json"
    )

    assert verbose.model_dump()["segments"][0]["text"].strip() == TEXT
    translated = client.audio.translations.create(model=MODEL, file=sent)
    assert translated.text.lower().startswith("in being")


@promises("Groq", "Groq's Python SDK: the models", "as there")
def test_groq_python_models(client: groq.Groq) -> None:
    assert "whisper-1" in [model.id for model in client.models.list().data]
    assert client.models.retrieve(MODEL).id == MODEL


@promises("Groq", "Groq's Python SDK: errors have its classes", "as there")
def test_groq_python_errors(client: groq.Groq) -> None:
    with pytest.raises(groq.NotFoundError):
        client.audio.transcriptions.create(model="llama-3", file=CLIP)
    with pytest.raises(groq.BadRequestError):
        client.audio.transcriptions.create(model=MODEL, file=CLIP, language="klingon")


@promises(
    "Groq",
    "`url` in the place of a file: 400",
    "differs",
    "a server that fetches what its clients name can be sent to its own network",
)
def test_groq_url(client: groq.Groq) -> None:
    with pytest.raises(groq.BadRequestError, match="fetches no recordings"):
        client.audio.transcriptions.create(model=MODEL, url="http://127.0.0.1:1/a.wav")


@promises(
    "Groq", "`x_groq` with the request's id, in json and verbose_json; not under `/v1`", "as there"
)
@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
def test_groq_id(server: Server, response_format: str) -> None:
    form = parts({"model": MODEL, "response_format": response_format})
    here, there = (
        httpx.post(f"{server.url}{prefix}/transcriptions", files=form, timeout=SECONDS)
        for prefix in (PREFIX, "/v1/audio")
    )

    assert here.json() == {**there.json(), "x_groq": {"id": here.headers["x-request-id"]}}


@promises("Groq", "Groq's Node SDK", "as there")
def test_groq_node(node: Node, server: Server) -> None:
    outcome = groq_sdk(node, server, "audio.transcriptions.create")

    assert outcome.value["text"] == TEXT
    assert outcome.value["x_groq"]["id"].startswith("req_")
    refused = groq_sdk(node, server, "audio.translations.create", model="llama-3")
    assert (refused.error.name, refused.error.status) == ("NotFoundError", 404)


@promises("Groq", "Vercel's `@ai-sdk/groq`, which takes no answer without `x_groq`", "as there")
def test_groq_vercel(node: Node, server: Server) -> None:
    result = vercel_by(node, server, "groq", "/openai/v1", MODEL).value

    assert result["text"] == TEXT
