"""Vercel's AI SDK: `transcribe` with a model of `createOpenAI`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import Server
from tests.speech_clips import clips
from tests.wire.conftest import KEY
from tests.wire.http import TEXT
from tests.wire.node_client import Node, vercel
from tests.wire.promises import promises

GERMAN = next(clip for clip in clips(language="de") if not clip.is_long)
WORDS = TEXT.rstrip(".").split()
VERCEL = "Vercel's AI SDK 7"


def of_openai(**options: object) -> dict[str, dict[str, object]]:
    """`providerOptions` of these options."""
    return {"openai": options}


@promises("Clients", f"{VERCEL}: text, segments, language and duration")
def test_vercel_transcribes(node: Node, server: Server) -> None:
    result = vercel(node, server).value

    assert (result["text"], result["language"]) == (TEXT, "en")
    assert [segment["text"].strip() for segment in result["segments"]] == [TEXT]
    assert result["durationInSeconds"] == pytest.approx(1.9, abs=0.01)
    assert result["warnings"] == []


@promises("Clients", f"{VERCEL}: the name of the language becomes its code")
def test_vercel_language(node: Node, server: Server) -> None:
    assert vercel(node, server, GERMAN.path).value["language"] == "de"


@promises("Clients", f"{VERCEL}: `timestampGranularities`, words beside segments")
def test_vercel_words_and_segments(node: Node, server: Server) -> None:
    result = vercel(node, server, timestampGranularities=["word", "segment"]).value

    assert [word["text"] for word in result["words"]] == WORDS
    assert [segment["text"].strip() for segment in result["segments"]] == [TEXT]
    assert 0 <= result["words"][0]["startSecond"] < result["words"][-1]["endSecond"] <= 1.91


@promises("Clients", f"{VERCEL}: OpenAI's options: language, prompt, temperature, words")
def test_vercel_provider_options(node: Node, server: Server) -> None:
    asked = of_openai(
        language="de", prompt="Hello.", temperature=0.1, timestampGranularities=["word"]
    )
    outcome = vercel(node, server, providerOptions=asked)

    assert {"language", "prompt", "temperature"} <= set(outcome.requests[0].fields)
    assert outcome.value["language"] == "de"
    # Without segments it gives the words as such.
    assert outcome.value["segments"] == outcome.value["words"]


@promises(
    "Clients",
    f"{VERCEL}: OpenAI's option chunkingStrategy, which it writes as JSON",
    "extension",
    "Hosted whisper-1 cannot be told how to cut.",
)
def test_vercel_chunking_strategy(node: Node, server: Server) -> None:
    heard, refused = (
        vercel(
            node,
            server,
            providerOptions=of_openai(
                chunkingStrategy={"type": "server_vad", "prefixPaddingMs": milliseconds}
            ),
        )
        for milliseconds in (100, 10**9)
    )

    assert heard.value["text"] == TEXT
    assert (refused.error.status, refused.error.param) == (400, "chunking_strategy")


@promises("Clients", f"{VERCEL}: a model that it asks for json alone has a duration")
def test_vercel_json(node: Node, server: Server) -> None:
    result = vercel(node, server, model="gpt-4o-transcribe").value

    assert (result["text"], result["durationInSeconds"]) == (TEXT, 2)


@promises("Clients", f"{VERCEL}: any model's name, with `responseFormat: 'verbose_json'`")
def test_vercel_other_model(node: Node, server: Server) -> None:
    asked = of_openai(responseFormat="verbose_json")
    result = vercel(node, server, model="tiny.en", providerOptions=asked).value

    assert [segment["text"].strip() for segment in result["segments"]] == [TEXT]
    assert result["language"] == "en"


@promises("Clients", f"{VERCEL}: an error is an APICallError with its code, and not sent again")
def test_vercel_bad_parameter(node: Node, server: Server) -> None:
    outcome = vercel(node, server, providerOptions=of_openai(language="klingon"))

    assert (outcome.error.name, outcome.error.status) == ("APICallError", 400)
    assert (outcome.error.param, outcome.error.code) == ("language", "invalid_language_format")
    assert (outcome.error.request_id or "").startswith("req_")
    assert len(outcome.requests) == 1


@promises("Clients", f"{VERCEL}: a wrong key, and an upload over the limit, are told as such")
@pytest.mark.parametrize(("key", "status"), [("not-a-key-of-theirs", 401), (KEY, 413)])
def test_vercel_refused_upload(
    node: Node, guarded: Server, tmp_path: Path, key: str, status: int
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(60_000_000))
    outcome = vercel(node, guarded, path, key=key)

    assert (outcome.error.name, outcome.error.status) == ("APICallError", status)
    assert len(outcome.requests) == 1
