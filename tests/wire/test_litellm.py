"""litellm, which many gateways and agents speak through."""

from __future__ import annotations

from typing import Any

import litellm
import openai
import pytest

from tests.server import Server
from tests.speech_clips import BROKEN
from tests.wire.http import CLIP, TEXT
from tests.wire.promises import promises


def transcription(server: Server, **options: Any) -> Any:
    """What litellm makes of a transcription."""
    with options.pop("file", CLIP).open("rb") as file:
        return litellm.transcription(
            **{
                "model": "openai/whisper-1",
                "max_retries": 0,
                "api_base": f"{server.url}/v1",
                **options,
            },
            file=file,
            api_key="unused",
        )


@promises("Clients", "litellm: json")
def test_json(server: Server) -> None:
    assert transcription(server).text == TEXT


@promises("Clients", "litellm: verbose_json with words")
def test_verbose_json(server: Server) -> None:
    wanted = {"response_format": "verbose_json", "timestamp_granularities": ["word"]}
    result = transcription(server, **wanted)

    assert [word["word"] for word in result["words"]] == TEXT.rstrip(".").split()


@promises("Clients", "litellm: errors, whose classes are OpenAI's")
def test_errors(server: Server) -> None:
    with pytest.raises(openai.NotFoundError):
        transcription(server, model="openai/none")
    with pytest.raises(openai.BadRequestError):
        transcription(server, file=BROKEN / "text.mp3")


@promises("Azure", "litellm, `azure/DEPLOYMENT`", "as there")
def test_azure(server: Server) -> None:
    wanted = {"model": "azure/whisper-1", "api_version": "2024-06-01", "api_base": server.url}

    assert transcription(server, **wanted).text == TEXT


@promises("Groq", "litellm, `groq/MODEL`", "as there")
def test_groq(server: Server) -> None:
    base = f"{server.url}/openai/v1"

    assert transcription(server, model="groq/whisper-large-v3-turbo", api_base=base).text == TEXT
