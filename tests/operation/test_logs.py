"""Log output of a running server."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.operation.asking import PATIENCE_SECONDS, TRANSCRIPTIONS, eventually, post
from tests.operation.conftest import Seen
from tests.server import Server

PROMPT = "Kennedy, spoken in confidence."


def lines_of(server: Server, request_id: str) -> list[dict[str, Any]]:
    """The lines of a request that is over."""
    return [line for line in map(json.loads, server.lines) if request_id in str(line)]


def test_each_request_is_one_line_without_what_it_said(seen: Seen) -> None:
    answers = [
        post(seen.server, prompt=PROMPT),
        post(seen.server, prompt=PROMPT, stream="true"),
        post(seen.server, "/transcribe", prompt=PROMPT),
    ]
    for answer in answers:
        found = eventually(lambda a=answer: lines_of(seen.server, a.headers["x-request-id"]))  # type: ignore[misc]
        assert len(found) == 1
        (line,) = found
        path = answer.request.url.path
        assert (line["method"], line["path"], line["status"]) == ("POST", path, 200)
        assert (line["outcome"], line["model"], line["audio_seconds"]) == ("ok", "tiny.en", 11.0)
        stages = [line[f"{name}_seconds"] for name in ("load", "queue", "encode", "decode")]
        assert all(seconds >= 0 for seconds in stages)
        assert min(stages[0], stages[2], stages[3]) > 0
        assert sum(stages) <= line["total_seconds"] + 0.001

    printed = seen.server.printed
    for secret in ("country", "a secret name", "Kennedy", "confidence"):
        assert secret not in printed


def test_every_line_is_an_object_also_of_errors_and_of_others(seen: Seen) -> None:
    url = seen.server.url
    refused = httpx.post(f"{url}{TRANSCRIPTIONS}", content=b"x", timeout=PATIENCE_SECONDS)
    # A content type in Latin-1 is one that BentoML's own access log fails at.
    strange = httpx.post(
        f"{url}/none", headers={b"content-type": b"caf\xe9"}, timeout=PATIENCE_SECONDS
    )
    for answer in (refused, strange):
        request_id = answer.headers["x-request-id"]
        (line,) = eventually(lambda wanted=request_id: lines_of(seen.server, wanted))  # type: ignore[misc]
        assert (line["status"], line["outcome"]) == (answer.status_code, "invalid")

    lines = [json.loads(line) for line in seen.server.lines]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert any(line["message"].startswith("whisper-tiny.en:") for line in lines)


def test_probes_are_not_told(seen: Seen) -> None:
    for path in ("/livez", "/readyz", "/healthz", "/metrics"):
        assert httpx.get(f"{seen.server.url}{path}", timeout=PATIENCE_SECONDS).is_success
    last = httpx.get(f"{seen.server.url}/health", timeout=PATIENCE_SECONDS).headers["x-request-id"]
    eventually(lambda: lines_of(seen.server, last))

    paths = {json.loads(line).get("path") for line in seen.server.lines}
    assert paths.isdisjoint({"/livez", "/readyz", "/healthz", "/metrics"})


def test_text_has_one_readable_line_too(plain: Server) -> None:
    request_id = post(plain).headers["x-request-id"]
    told = eventually(lambda: [line for line in plain.lines if request_id in line])

    assert len(told) == 1
    assert f"{request_id}: POST {TRANSCRIPTIONS} 200 ok in " in told[0]
    assert "; tiny.en, 11.0 s of audio (load " in told[0]
