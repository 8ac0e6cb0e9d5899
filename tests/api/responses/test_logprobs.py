"""Tests of token log-probabilities in answers and streams."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from api.responses.logprobs import logprobs
from models.text.transcript import Segment, TokenScore
from tests.api.fake import SEGMENTS, TRANSCRIPTIONS, FakeTranscriber, client

DATA = ((b" The", b" na\xc3", b"\xafve"), (b" sun", b"."))
TEXT = "The na\u00efve sun."


def scored(segment: Segment, *data: bytes) -> Segment:
    scores = tuple(TokenScore(part, -0.5) for part in data)
    return replace(segment, text=b"".join(data).decode(), scores=scores)


TRANSCRIBER = FakeTranscriber(
    segments=tuple(scored(segment, *data) for segment, data in zip(SEGMENTS, DATA, strict=True))
)


def post(**fields: str) -> Any:
    data = {"model": "base", "include[]": "logprobs", **fields}
    return client(TRANSCRIBER).post(TRANSCRIPTIONS, data=data, files={"file": ("a.wav", b"x")})


def joined(tokens: list[dict[str, Any]]) -> str:
    return b"".join(bytes(token["bytes"]) for token in tokens).decode()


def test_logprobs_of_an_answer_join_to_its_text() -> None:
    body = post().json()

    assert (body["text"], joined(body["logprobs"])) == (TEXT, TEXT)
    assert body["logprobs"][0] == {"token": "The", "logprob": -0.5, "bytes": [84, 104, 101]}
    assert [token["token"] for token in body["logprobs"][1:3]] == [" na\ufffd", "\ufffdve"]


def test_logprobs_of_a_stream_join_to_its_deltas() -> None:
    *blocks, _, _ = post(stream="true").text.split("\n\n")
    *deltas, done = (json.loads(block.removeprefix("data: ")) for block in blocks)

    assert "".join(delta["delta"] for delta in deltas) == TEXT
    assert [joined(delta["logprobs"]) for delta in deltas] == ["The na\u00efve", " sun."]
    assert joined(done["logprobs"]) == TEXT


def test_logprobs_not_asked_for_are_absent() -> None:
    assert "logprobs" not in post(**{"include[]": ""}).json()


def test_logprobs_a_space_alone_at_the_beginning_is_no_token() -> None:
    found = logprobs([scored(SEGMENTS[0], b" ", b" a")])

    assert [token.token for token in found] == ["a"]
