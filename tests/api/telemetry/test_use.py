"""A request has its model loaded for as long as it needs it, and no longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.requests.model_registry import ModelRegistry, ServedModel, Transcriber
from api.settings import Settings
from models.capacity.admission import Admission
from models.errors import AudioError, ModelLoadError, OverloadedError
from tests.api.fake import (
    CREATED,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    BreakingTranscriber,
    FailingTranscriber,
    FakePool,
    FakeTranscriber,
)

DETECTION = "/v1/audio/detect-language"
FILES = {"file": ("speech.wav", b"audio")}
ANY_REQUEST = pytest.mark.parametrize(
    ("path", "fields"),
    [
        (TRANSCRIPTIONS, {}),
        (TRANSCRIPTIONS, {"stream": "true"}),
        (TRANSLATIONS, {}),
        (DETECTION, {}),
    ],
)


class WatchedPool(FakePool):
    """Notes how many requests used it at most; refuses with `refusal` if there is one."""

    maximum = 0
    refusal: Exception | None = None

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Transcriber]:
        """The transcriber of that name."""
        if self.refusal:
            raise self.refusal
        async with super().use(name) as transcriber:
            self.maximum = max(self.maximum, self.users)
            yield transcriber


def ask(pool: FakePool, path: str, **fields: str) -> Any:
    app = create_app("0")
    app.state.registry = ModelRegistry(
        [ServedModel("base", CREATED)], pool, Admission(3600, slots=8)
    )
    with TestClient(MiddlewareStack(app, Settings(), Drain(0))) as client:
        return client.post(path, files=FILES, data={"model": "base", **fields})


@ANY_REQUEST
@pytest.mark.parametrize(
    "transcriber", [FakeTranscriber(), FailingTranscriber(AudioError("no sound"))], ids=type
)
def test_model_is_used_until_the_request_ends(
    path: str, fields: dict[str, str], transcriber: Transcriber
) -> None:
    pool = WatchedPool(base=transcriber)

    ask(pool, path, **fields)

    assert (pool.maximum, pool.users) == (1, 0)


def test_model_is_used_until_a_stream_breaks_off() -> None:
    pool = WatchedPool(base=BreakingTranscriber(error=AudioError("cut off")))

    assert "cut off" in ask(pool, TRANSCRIPTIONS, stream="true").text
    assert (pool.maximum, pool.users) == (1, 0)


@ANY_REQUEST
@pytest.mark.parametrize(
    ("refusal", "code", "seconds"),
    [
        (OverloadedError("The model 'base' is loading.", 5), "overloaded", "5"),
        (ModelLoadError("base"), None, "30"),
    ],
)
def test_refused_model_is_a_503_that_says_when_to_come_again(
    path: str, fields: dict[str, str], refusal: Exception, code: str | None, seconds: str
) -> None:
    pool = WatchedPool(base=FakeTranscriber())
    pool.refusal = refusal

    response = ask(pool, path, **fields)

    assert response.status_code == 503
    assert response.headers["retry-after"] == seconds
    assert response.json()["error"]["message"] == str(refusal)
    assert response.json()["error"]["code"] == code


def test_unknown_model_is_not_asked_of_the_pool() -> None:
    pool = WatchedPool(base=FakeTranscriber())

    assert ask(pool, TRANSCRIPTIONS, model="nobodys").status_code == 404
    assert pool.maximum == 0
