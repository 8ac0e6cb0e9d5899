"""Tests of what is told of a request when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.app import create_app
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.requests.model_registry import Transcriber
from api.settings import Settings
from api.telemetry.endpoints import ENDPOINTS, OTHER, endpoint_of
from api.telemetry.observe import Observe, Observed
from models.errors import DecodingError, EngineStoppedError, ModelLoadError, OverloadedError
from tests.api.documented import documented_app
from tests.api.fake import (
    TRANSCRIPTIONS,
    BreakingTranscriber,
    EndlessTranscriber,
    FailingTranscriber,
    FakeTranscriber,
    served,
)

FILES = {"file": ("secret name.wav", b"x" * 1000)}
FORM = {"model": "whisper-1"}


def observed_by(
    transcriber: Transcriber | None = None, settings: Settings | None = None
) -> tuple[TestClient, list[Observed]]:
    """A client of our app, and what is told of its requests."""
    told: list[Observed] = []
    app = create_app("1.2.3")
    app.state.registry = served("base", transcriber=transcriber)
    edge = MiddlewareStack(app, settings or Settings(), Drain(0), [told.append])
    return TestClient(edge, raise_server_exceptions=False), told


def test_request_is_told_with_endpoint_model_status_and_the_id_it_was_answered_with() -> None:
    client, told = observed_by()
    response = client.post(TRANSCRIPTIONS, files=FILES, data=FORM)

    (observed,) = told
    assert (observed.method, observed.endpoint) == ("POST", TRANSCRIPTIONS)
    assert (observed.status, observed.outcome, observed.model) == (200, "ok", "base")
    assert observed.request_id == response.headers["x-request-id"]
    assert 0 < observed.seconds < 60


@pytest.mark.parametrize(
    ("transcriber", "form", "expected"),
    [
        (None, {"model": "none"}, (404, "invalid", "")),
        (None, {}, (400, "invalid", "")),
        (FailingTranscriber(OverloadedError("full", 3)), FORM, (503, "refused", "base")),
        (FailingTranscriber(RuntimeError("a fault")), FORM, (500, "failed", "base")),
        (FailingTranscriber(EngineStoppedError("stopping")), FORM, (503, "refused", "base")),
        (FailingTranscriber(DecodingError("a step's fault")), FORM, (503, "failed", "base")),
        (FailingTranscriber(ModelLoadError("no file")), FORM, (503, "failed", "base")),
        (
            BreakingTranscriber(error=DecodingError("a step's fault")),
            {**FORM, "stream": "true"},
            (503, "failed", "base"),
        ),
        (
            BreakingTranscriber(error=EngineStoppedError("stopping")),
            {**FORM, "stream": "true"},
            (503, "refused", "base"),
        ),
    ],
)
def test_outcome_of_what_went_wrong(
    transcriber: Transcriber | None, form: dict[str, str], expected: tuple[int, str, str]
) -> None:
    client, told = observed_by(transcriber)
    client.post(TRANSCRIPTIONS, files=FILES, data=form)

    assert [(each.status, each.outcome, each.model) for each in told] == [expected]


def test_a_stream_is_told_once_when_it_has_ended() -> None:
    client, told = observed_by()
    response = client.post(TRANSCRIPTIONS, files=FILES, data={**FORM, "stream": "true"})

    assert response.text.endswith("[DONE]\n\n")
    assert [(each.status, each.outcome) for each in told] == [(200, "ok")]


def test_a_request_past_the_deadline_and_one_without_a_key() -> None:
    client, told = observed_by(EndlessTranscriber(), Settings(timeout=1))
    client.post(TRANSCRIPTIONS, files=FILES, data=FORM)
    keyed, told_of_keyed = observed_by(
        settings=Settings.from_environ({"WHISPER_API_KEYS": "k" * 8})
    )
    keyed.post(TRANSCRIPTIONS, files=FILES, data=FORM)

    assert [(each.status, each.outcome, each.model) for each in told] == [(504, "timeout", "base")]
    assert [each.outcome for each in told_of_keyed] == ["denied"]


def exchange(app: Observe, messages: Iterable[Message]) -> None:
    """A request whose client sends these messages."""
    incoming = iter(messages)

    async def receive() -> Message:
        return next(incoming)

    async def send(message: Message) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": "/health", "headers": []}
    asyncio.run(app(scope, receive, send))


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers, whatever it is told."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})
    await receive()


GONE: Message = {"type": "http.disconnect"}
REQUEST: Message = {"type": "http.request", "body": b"", "more_body": False}


def test_a_client_that_goes_before_the_answer_is_cancelled_and_after_it_is_not() -> None:
    told: list[Observed] = []
    exchange(Observe(reading, [told.append]), [GONE, GONE])
    exchange(Observe(reading, [told.append]), [REQUEST, GONE])

    assert [(each.status, each.outcome) for each in told] == [(499, "cancelled"), (200, "ok")]


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    """Never an answer."""
    raise RuntimeError("a fault")


def test_what_raises_is_told_and_raised() -> None:
    told: list[Observed] = []
    with pytest.raises(RuntimeError, match="a fault"):
        exchange(Observe(failing, [told.append]), [])

    assert [(each.status, each.outcome) for each in told] == [(500, "failed")]


def test_the_record_comes_to_the_transcriber() -> None:
    client, told = observed_by(FakeTranscriber(duration=3.5))
    client.post(TRANSCRIPTIONS, files=FILES, data=FORM)
    client.post(TRANSCRIPTIONS, files=FILES, data={**FORM, "stream": "true"})
    client.post("/v1/audio/detect-language", files=FILES, data=FORM)

    assert [each.stats.audio_seconds for each in told] == [3.5, 3.5, 3.5]


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v1/audio/transcriptions", TRANSCRIPTIONS),
        ("/audio/transcriptions", TRANSCRIPTIONS),
        ("/v1/models/anything/at/all", "/v1/models/{model}"),
        ("/models/base", "/v1/models/{model}"),
        (f"{TRANSCRIPTIONS}/transcription_0/content", f"{TRANSCRIPTIONS}/{{job}}"),
        ("/audio/transcriptions/transcription_0", f"{TRANSCRIPTIONS}/{{job}}"),
        ("/transcribe", "/transcribe"),
        ("/metrics", "/metrics"),
        ("/v1/health", OTHER),
        ("/v1", OTHER),
        ("/wp-login.php", OTHER),
    ],
)
def test_endpoint_of_a_path(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint


def test_every_route_of_the_app_has_a_name() -> None:
    paths = documented_app().openapi()["paths"]

    several = {"/v1/models/{model}", f"{TRANSCRIPTIONS}/{{job}}"}
    assert {endpoint_of(path) for path in paths} <= ENDPOINTS | several
    assert OTHER not in ENDPOINTS
