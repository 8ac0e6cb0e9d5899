"""Tests of requests in the queue: refused, told of their place, served key by key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.request_context import RequestContext, context_of
from api.requests.admitted import admit
from api.requests.model_registry import ModelRegistry, ServedModel, Transcriber
from api.responses import streaming
from api.settings import Settings
from models.capacity.admission import Admission
from models.errors import ModelLoadError
from models.options import TranscribeOptions
from tests.api.fake import (
    TRANSCRIPTIONS,
    TRANSLATIONS,
    EndlessTranscriber,
    FakePool,
    FakeTranscriber,
    served,
)
from tests.api.middleware.test_disconnect import Connection
from tests.api.responses.test_streaming import STREAMED

DETECTIONS = "/v1/audio/detect-language"
FILES = {"file": ("a.wav", b"audio")}


def answer_of(admission: Admission, path: str, **fields: str) -> Any:
    """The answer to a request that waits for nobody."""
    app = create_app("0")
    app.state.registry = served("base", admission=admission)
    data = {"model": "base", **fields}
    return TestClient(MiddlewareStack(app, Settings(), Drain(0))).post(path, data=data, files=FILES)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, DETECTIONS])
@pytest.mark.parametrize("fields", [{}, {"stream": "true"}], ids=["sync", "stream"])
def test_request_takes_a_place_and_says_which(path: str, fields: dict[str, str]) -> None:
    admission = Admission(60, slots=1)

    answer = answer_of(admission, path, **fields)

    assert answer.status_code == 200
    assert (answer.headers["x-queue-position"], answer.headers["x-queue-seconds"]) == ("0", "0")
    assert (admission.cancelled, admission.held) == (0, 0)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, DETECTIONS])
@pytest.mark.parametrize("fields", [{}, {"stream": "true"}], ids=["sync", "stream"])
def test_refusal_says_when_to_come_again(path: str, fields: dict[str, str]) -> None:
    admission = Admission(60, slots=1)

    async def fill(stack: ExitStack) -> None:
        for _ in range(3):
            stack.enter_context(admission.ticket(20))

    with ExitStack() as stack:
        asyncio.run(fill(stack))
        answer = answer_of(admission, path, **fields)

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "overloaded"
    assert answer.headers["retry-after"] == "1"
    # Two are at work, one waits; each takes two seconds.
    assert (answer.headers["x-queue-position"], answer.headers["x-queue-seconds"]) == ("2", "4")


@pytest.mark.parametrize("path", ["/health", "/v1/models"])
def test_what_takes_no_place_says_nothing_of_it(path: str) -> None:
    app = create_app("0")
    app.state.registry = served("base")
    answer = TestClient(MiddlewareStack(app, Settings(), Drain(0))).get(path)

    assert answer.status_code == 200
    assert "x-queue-position" not in answer.headers


def test_stream_begins_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "GRACE_SECONDS", 0.01)

    async def scenario() -> None:
        admission, transcriber = Admission(60, slots=1), EndlessTranscriber()
        connection = Connection(transcriber, admission)
        with admission.ticket(1), admission.ticket(1):
            answering = connection.run()
            connection.put(STREAMED)
            await asyncio.wait_for(connection.has_sent.wait(), 120)
            assert (b"x-queue-position", b"1") in connection.sent[0]["headers"]
            assert not transcriber.started.is_set()
        await asyncio.wait_for(transcriber.started.wait(), 120)
        connection.leave()
        await asyncio.wait_for(answering, 120)
        assert (admission.running, admission.cancelled) == (0, 1)

    asyncio.run(scenario())


@pytest.mark.parametrize(("name", "status"), [("alice", 503), ("bob", 200), ("", 200)])
def test_keys_are_told_apart_by_their_names(name: str, status: int) -> None:
    admission = Admission(60, slots=2)
    app = create_app("0")
    app.state.registry = served("base", admission=admission)

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        context_of(scope).key_name = name
        await app(scope, receive, send)

    async def fill(stack: ExitStack) -> None:
        for _ in range(2):
            stack.enter_context(admission.ticket(20, "alice"))

    with ExitStack() as stack:
        asyncio.run(fill(stack))
        answer = TestClient(named).post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)

    assert answer.status_code == status


class Pool(FakePool):
    """One whose models cannot be loaded where `error` says so."""

    error: Exception | None = None

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Transcriber]:
        """The transcriber of that name, or the error."""
        if self.error:
            raise self.error
        async with super().use(name) as transcriber:
            yield transcriber


def test_model_is_kept_while_the_request_waits_and_goes_back_with_it() -> None:
    async def scenario() -> None:
        admission, pool = Admission(60, slots=1), Pool(base=FakeTranscriber())
        registry = ModelRegistry([ServedModel("base", 0)], pool, admission)
        context = RequestContext()
        with admission.ticket(1), admission.ticket(1):
            async with admit(registry, context, "whisper-1", BytesIO()) as admitted:
                work = asyncio.create_task(admitted.transcribe(BytesIO(), TranscribeOptions()))
                await asyncio.sleep(0)
                assert (admission.waiting, pool.users, context.model) == (1, 1, "base")
                work.cancel()
        assert (admission.waiting, admission.running, pool.users) == (0, 0, 0)

    asyncio.run(scenario())


def test_model_that_cannot_be_loaded_is_refused_before_the_turn() -> None:
    async def scenario() -> None:
        admission, pool = Admission(60, slots=1), Pool(base=FakeTranscriber())
        pool.error = ModelLoadError("base")
        registry = ModelRegistry([ServedModel("base", 0)], pool, admission)
        with admission.ticket(1), admission.ticket(1):
            with pytest.raises(ModelLoadError):
                async with (
                    asyncio.timeout(120),
                    admit(registry, RequestContext(), "base", BytesIO()),
                ):
                    raise AssertionError
            assert (admission.waiting, admission.running) == (0, 2)

    asyncio.run(scenario())
