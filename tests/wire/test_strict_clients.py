"""Clients that fail on a member that is missing: what async-openai (Rust) requires."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from tests.server import Server
from tests.wire.http import SECONDS, TRANSCRIPTIONS, post
from tests.wire.promises import promises

CLIENT = "async-openai, by the members that its types require"
U8 = Annotated[int, Field(ge=0, lt=2**8)]
U32 = Annotated[int, Field(ge=0, lt=2**32)]


class Required(BaseModel):
    """A type of a client that converts nothing: these members must be there, others may."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Details(Required):
    text_tokens: U32
    audio_tokens: U32


class Tokens(Required):
    type: Literal["tokens"]
    input_tokens: U32
    output_tokens: U32
    total_tokens: U32
    input_token_details: Details


class Duration(Required):
    type: Literal["duration"]
    seconds: float


Usage = Annotated[Tokens | Duration, Field(discriminator="type")]


class Logprob(Required):
    token: str
    logprob: float
    bytes: list[U8]


class Json(Required):
    text: str
    logprobs: list[Logprob]
    usage: Usage


class Segment(Required):
    id: U32
    seek: U32
    start: float
    end: float
    text: str
    tokens: list[U32]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class Word(Required):
    word: str
    start: float
    end: float


class Verbose(Required):
    language: str
    duration: float
    text: str
    words: list[Word]
    segments: list[Segment]
    usage: Duration


class Delta(Required):
    type: Literal["transcript.text.delta"]
    delta: str


class Done(Required):
    type: Literal["transcript.text.done"]
    text: str
    usage: Tokens


class Model(Required):
    id: str
    object: Literal["model"]
    created: U32
    owned_by: str


class Models(Required):
    object: Literal["list"]
    data: list[Model]


class Detail(Required):
    message: str
    type: str | None
    param: str | None
    code: str | None


class Error(Required):
    error: Detail


@promises("Clients", f"{CLIENT}: json with logprobs, and verbose_json with words")
def test_strict_answers(server: Server) -> None:
    Json.model_validate_json(post(server, {"include[]": "logprobs"}).content)
    asked = [("timestamp_granularities[]", each) for each in ("word", "segment")]
    verbose = post(server, [("response_format", "verbose_json"), *asked])

    found = Verbose.model_validate_json(verbose.content)
    assert found.segments
    assert found.words


@promises("Clients", f"{CLIENT}: events of a stream, of which the last has `usage`")
def test_strict_events(server: Server) -> None:
    text = post(server, {"stream": "true", "prompt": "Of books."}).text
    *deltas, done, end, rest = [each.removeprefix("data: ") for each in text.split("\n\n")]

    assert (end, rest) == ("[DONE]", "")
    assert [Delta.model_validate_json(each) for each in deltas]
    usage = Done.model_validate_json(done).usage
    # Of 1.9 seconds.
    assert usage.input_token_details.audio_tokens == 19
    assert usage.input_token_details.text_tokens == 3
    assert usage.input_tokens == 22
    assert 6 <= usage.output_tokens < 20
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


@promises("Clients", f"{CLIENT}: models and errors")
def test_strict_models_and_errors(server: Server) -> None:
    listed = Models.model_validate_json(
        httpx.get(f"{server.url}/v1/models", timeout=SECONDS).content
    )
    refused = httpx.post(f"{server.url}{TRANSCRIPTIONS}", json={}, timeout=SECONDS)

    assert listed.data
    assert Error.model_validate_json(refused.content).error.message
    assert json.loads(refused.content).keys() == {"error"}
