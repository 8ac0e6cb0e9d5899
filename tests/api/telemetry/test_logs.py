"""Tests of the lines of the log."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from io import StringIO

import pytest

from api.telemetry.logs import JsonLines, log_as_json, log_request
from tests.api.records import observed


@pytest.fixture
def printed() -> Iterator[StringIO]:
    """What is logged, one JSON object a line."""
    output = StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("bentoml.access")
    level, handlers = logger.level, logger.handlers
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    yield output
    logger.handlers = handlers
    logger.setLevel(level)


def test_a_request_has_one_line_with_what_it_took(printed: StringIO) -> None:
    log_request(observed())

    line = json.loads(printed.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "bentoml.access",
        "message": "req_1 by ci: POST /v1/audio/transcriptions 200 ok in 2.000 s; base, "
        "30.0 s of audio (load 0.250, queue 0.500, encode 0.500, decode 0.700)",
        "request_id": "req_1",
        "key_name": "ci",
        "method": "POST",
        "path": "/v1/audio/transcriptions",
        "status": 200,
        "outcome": "ok",
        "dialect": "openai",
        "model": "base",
        "audio_seconds": 30.0,
        "load_seconds": 0.25,
        "queue_seconds": 0.5,
        "encode_seconds": 0.5,
        "decode_seconds": 0.7,
        "total_seconds": 2.0,
    }


def test_probes_and_scrapes_are_told_only_when_they_fail(printed: StringIO) -> None:
    for path in ("/readyz", "/livez", "/healthz", "/metrics"):
        log_request(observed(endpoint=path, model=""))
    assert printed.getvalue() == ""

    log_request(observed(endpoint="/readyz", status=503, model=""))
    assert json.loads(printed.getvalue())["outcome"] == "refused"


def test_a_line_is_one_object_whatever_is_logged() -> None:
    error = (ValueError, ValueError("two\nlines"), None)
    record = logging.LogRecord("models", logging.ERROR, "", 0, "%s: naïve\n", ("x",), error)
    text = JsonLines().format(record)

    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "models", "x: naïve\n")
    assert line["exception"] == "ValueError: two\nlines"


def test_warnings_are_logged_as_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    output = StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(output)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            log_as_json()
            warnings.warn("beware", UserWarning, stacklevel=1)
    finally:
        logging.captureWarnings(capture=False)

    line = json.loads(output.getvalue())
    assert (line["level"], line["logger"]) == ("WARNING", "py.warnings")
    assert "beware" in line["message"]
