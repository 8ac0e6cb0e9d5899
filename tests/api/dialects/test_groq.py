"""Tests of Groq's prefix and its member `x_groq`."""

from __future__ import annotations

from typing import Any

import pytest

from api.dialects.groq import Groq
from api.settings import Settings
from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber, client

FILES = {"file": ("a.wav", b"audio")}
PREFIX = "/openai/v1"
TASKS = ["transcriptions", "translations"]


def post(path: str, **fields: str) -> Any:
    """The answer to a form."""
    data = {"model": "whisper-large-v3-turbo", **fields}
    return client().post(path, data=data, files=FILES)


@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
@pytest.mark.parametrize("task", TASKS)
def test_json_has_the_request_id_and_is_else_as_ever(task: str, response_format: str) -> None:
    answer = post(f"{PREFIX}/audio/{task}", response_format=response_format)
    plain = post(f"/v1/audio/{task}", response_format=response_format)

    assert answer.json() == {
        **plain.json(),
        "x_groq": {"id": answer.headers["x-request-id"]},
    }
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "x_groq" not in plain.text


@pytest.mark.parametrize("response_format", ["text", "srt", "vtt"])
@pytest.mark.parametrize("task", TASKS)
def test_text_is_as_ever(task: str, response_format: str) -> None:
    answer = post(f"{PREFIX}/audio/{task}", response_format=response_format)

    assert answer.text == post(f"/v1/audio/{task}", response_format=response_format).text


def test_stream_is_as_ever() -> None:
    stream = {"stream": "true"}

    assert post(f"{PREFIX}/audio/transcriptions", **stream).text == (
        post(TRANSCRIPTIONS, **stream).text
    )


def test_text_that_ends_like_json_is_kept() -> None:
    fake = FakeTranscriber()
    fake.segments = tuple(
        type(each)(**{**each.__dict__, "text": " }}"}) for each in fake.segments[:1]
    )
    answer = client(fake).post(f"{PREFIX}/audio/translations", data={"model": "base"}, files=FILES)

    assert answer.json()["text"] == "}}"


def test_errors_are_as_ever() -> None:
    unknown = post(f"{PREFIX}/audio/transcriptions", model="mine")
    wrong = post(f"{PREFIX}/audio/transcriptions", language="klingon")

    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "language")


def test_other_paths_are_openais() -> None:
    app = client()

    assert app.get(f"{PREFIX}/models/whisper-1").json() == app.get("/v1/models/whisper-1").json()
    assert app.get(f"{PREFIX}/audio/translations").headers["allow"] == "POST"
    assert app.get(f"{PREFIX}/chat").status_code == 404


def test_off_by_setting() -> None:
    app = client(settings=Settings(dialects=()))

    assert app.get(f"{PREFIX}/models").status_code == 404


def test_endpoints() -> None:
    assert Groq().endpoint({"path": f"{PREFIX}/audio/transcriptions"}) == (
        "/openai/v1/audio/transcriptions"
    )
    assert Groq().endpoint({"path": f"{PREFIX}/chat"}) == "other"
    assert Groq().endpoint({"path": "/openai/models"}) is None
