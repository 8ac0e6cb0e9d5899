"""Error envelope of BentoML's native endpoints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.forms.parameters import TranscriptionRequest
from api.native.endpoints import answer_natively
from api.request_context import context_of
from models.errors import ChecksumError, OptionError
from tests.api.fake import FailingTranscriber, FakeTranscriber, served


def failure(error: Exception, path: Path) -> tuple[int, dict[str, object]]:
    """The status and the error that a client sees."""
    path.write_bytes(b"sound")
    request = Request({"type": "http", "path": "/transcribe", "headers": []})
    context_of(request).id = "x"
    context = SimpleNamespace(request=request, response=Response())
    models = served("base", transcriber=FailingTranscriber(error))
    work = answer_natively(models, context, path, TranscriptionRequest, model="base")
    answer = cast(Response, asyncio.run(work))
    assert context.response.status_code == answer.status_code
    return answer.status_code, dict(json.loads(bytes(answer.body))["error"])


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), ChecksumError("secret")])
def test_fault_of_ours_is_logged(
    error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert failure(error, tmp_path / "audio") == (
        500,
        {
            "message": "The server had an internal error while it processed the request.",
            "type": "server_error",
            "param": None,
            "code": None,
        },
    )
    assert caplog.messages == ["Request x (/transcribe) failed"]
    assert "secret" in caplog.text


def test_mistake_of_the_client_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    status, error = failure(OptionError("keywords", "Too long."), tmp_path / "audio")

    assert (status, error["param"], error["message"]) == (400, "keywords", "Too long.")
    assert caplog.messages == []


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_fields_are_absent(empty: str, tmp_path: Path) -> None:
    (tmp_path / "audio").write_bytes(b"sound")
    transcriber = FakeTranscriber()
    context = SimpleNamespace(
        request=Request({"type": "http", "path": "/transcribe", "headers": []}),
        response=Response(),
    )
    fields = dict.fromkeys(("model", "language", "prompt", "temperature"), empty)
    models = served("base", transcriber=transcriber)
    work = answer_natively(models, context, tmp_path / "audio", TranscriptionRequest, **fields)

    assert asyncio.run(work).text
    assert transcriber.calls == [(b"sound", TranscriptionRequest(model="whisper-1").options())]
