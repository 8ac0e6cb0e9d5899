"""Tests of what is refused instead of being made into subtitles."""

from __future__ import annotations

import json

import pytest

from api.keys import key_digest
from api.settings import Settings
from tests.api.fake import client
from tests.api.routes.test_subtitles import SUBTITLES

LINE = {"start": 0, "end": 1, "text": "x"}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ("{", None, "invalid_value"),
        ("[]", None, "invalid_value"),
        ("", None, "invalid_value"),
        ("{}", "transcript", "missing_required_parameter"),
        ('{"transcript": {}}', "transcript.segments", "missing_required_parameter"),
        (
            '{"transcript": {"segments": [{"start": NaN, "end": 1, "text": ""}]}}',
            "transcript.segments.0.start",
            "invalid_value",
        ),
        (
            json.dumps({"transcript": {"segments": [{**LINE, "end": -1}]}}),
            "transcript.segments.0.end",
            "invalid_value",
        ),
        (
            json.dumps({"transcript": {"segments": [{**LINE, "text": "x" * 2_001}]}}),
            "transcript.segments.0.text",
            "invalid_value",
        ),
        (
            json.dumps({"transcript": {"segments": [{**LINE, "text": "x" * 2_000}] * 501}}),
            "transcript",
            "invalid_value",
        ),
        (
            json.dumps({"transcript": {"segments": [LINE] * 50_001}}),
            "transcript.segments",
            "invalid_value",
        ),
        (
            json.dumps({"transcript": {"segments": [LINE]}, "response_format": "ass"}),
            "response_format",
            "invalid_value",
        ),
        (
            json.dumps({"transcript": {"segments": [LINE]}, "max_line_width": 0}),
            "max_line_width",
            "invalid_value",
        ),
        (
            json.dumps(
                {
                    "transcript": {"segments": [LINE]},
                    "response_format": "tsv",
                    "max_line_width": 42,
                }
            ),
            "max_line_width",
            "unsupported_value",
        ),
    ],
)
def test_bad_bodies(body: str, param: str | None, code: str) -> None:
    answer = client().post(SUBTITLES, content=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error"


def test_half_a_character_is_no_text() -> None:
    body = '{"transcript": {"segments": [{"start": 0, "end": 1, "text": "\\ud800"}]}}'

    assert client().post(SUBTITLES, content=body).status_code == 400


def test_too_large() -> None:
    app = client(settings=Settings(max_upload_mib=0))

    assert app.post(SUBTITLES, content=b" " * (16 * 1024 * 1024 + 1)).status_code == 413
    small = client(settings=Settings(max_upload_mib=1))
    assert small.post(SUBTITLES, content=b" " * (1024 * 1024 + 1)).status_code == 413


def test_asks_for_the_key() -> None:
    app = client(settings=Settings(api_keys=(key_digest("a-key-of-the-tests"),)))

    assert app.post(SUBTITLES, json={}).status_code == 401
