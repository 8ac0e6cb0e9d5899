"""Webhooks that are refused, and what of them is told nowhere."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from api.server_log import logger
from tests.api.fake import TRANSCRIPTIONS
from tests.api.jobs.hooked import attempted, hooked, settings_of
from tests.api.jobs.serving import job_server, run
from tests.receiver import SECRET, Receiver
from tests.wire.promises import promises


@promises(
    "Background jobs",
    "`webhook_url` of a host that is not in `WHISPER_WEBHOOK_HOSTS`, or while that is empty, is a "
    "400 that names the setting",
    "extension",
)
def test_webhooks_that_are_off_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path) as server:
            answer = await server.submit({"webhook_url": "https://example.org/done"})
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert (error["param"], error["code"]) == ("webhook_url", "unsupported_value")
            assert "WHISPER_WEBHOOK_HOSTS is empty" in error["message"]
            assert not (tmp_path / "jobs.sqlite3").exists()

    run(scenario())


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("https://example.org/done", "unsupported_value", "no webhooks to https://example.org:"),
        ("http://127.0.0.1/", "unsupported_value", "WHISPER_WEBHOOK_HOSTS does not have it"),
        ("http://127.0.0.1:9001/", "unsupported_value", "to http://127.0.0.1:9001:"),
        ("http://169.254.169.254/latest", "unsupported_value", "WHISPER_WEBHOOK_HOSTS"),
        ("http://[::ffff:127.0.0.1]:9000/", "unsupported_value", "WHISPER_WEBHOOK_HOSTS"),
        ("http://2130706433:9000/", "invalid_value", "must be an http or https URL"),
        ("http://me:secret@127.0.0.1:9000/", "invalid_value", "without a user name"),
        ("file:///etc/passwd", "invalid_value", "must be an http or https URL"),
        ("done", "invalid_value", "must be an http or https URL"),
    ],
)
def test_url_that_no_webhook_goes_to_is_refused_without_a_trace(
    tmp_path: Path, url: str, code: str, message: str
) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, settings=settings_of(tmp_path, 9000)) as server:
            answer = await server.submit({"webhook_url": url})
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert (error["param"], error["code"]) == ("webhook_url", code)
            assert message in error["message"]
            assert "secret@" not in error["message"]
            assert not (tmp_path / "jobs.sqlite3").exists()

    run(scenario())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"webhook_include": "text"}, "webhook_include needs webhook_url"),
        ({"webhook_url": "http://127.0.0.1:9000", "webhook_include": "words"}, "should be 'text'"),
    ],
)
def test_what_an_event_has_is_checked(tmp_path: Path, fields: dict[str, str], message: str) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, settings=settings_of(tmp_path, 9000)) as server:
            answer = await server.submit(fields)
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert error["param"] == "webhook_include"
            assert message in error["message"]

    run(scenario())


def test_secret_and_address_are_told_nowhere(
    tmp_path: Path,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.statuses = [500]
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger.name)
    # BentoML's, once it is imported, keeps to itself.
    monkeypatch.setattr(logging.getLogger("bentoml"), "propagate", True)
    told: list[str] = []

    async def scenario() -> None:
        async with hooked(tmp_path, receiver) as server:
            url = receiver.url("/a-path-with-a-token")
            job_id = await server.make({"webhook_url": url})
            await attempted(server, job_id, 1)
            told.append((await server.http.get("/health")).text)
            told.append((await server.http.get(f"{TRANSCRIPTIONS}/{job_id}")).text)
            told.append((await server.http.get(TRANSCRIPTIONS)).text)
            await server.until(job_id, lambda job: server.webhooks)
            assert f"{job_id}: webhook retried at attempt 1: 500; again in 5 s" in caplog.text

    run(scenario())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    settings = settings_of(tmp_path, receiver.port)
    shown = [*told, caplog.text, repr(settings), str(settings.model_dump()), kept.decode("latin-1")]
    for text in shown:
        assert SECRET.removeprefix("whsec_") not in text
        assert "0123456789012345" not in text
    assert "a-path-with-a-token" not in "".join([*told, caplog.text])
