"""Faults that a sound server does not have, from our app without a model: how SDKs take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import openai
import pytest

from api.app import create_app
from api.middleware.draining import Drain
from api.middleware.stack import MiddlewareStack
from api.requests.model_registry import Transcriber
from api.responses import streaming
from api.settings import Settings
from models.errors import EngineStoppedError, OverloadedError
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from tests.api.fake import BreakingTranscriber, EndlessTranscriber, FakeTranscriber, served
from tests.server import Reachable, listening, strict_sdk
from tests.wire.http import CLIP
from tests.wire.node_client import NODE_SDK, OpenAISdk
from tests.wire.promises import promises

SPOKEN = "The naïve wind and the sun."
STOPPING = EngineStoppedError("The server is shutting down.")


@dataclass(frozen=True)
class Listening:
    """A server of our app, in a thread."""

    url: str


class BusyOnce(FakeTranscriber):
    """Overloaded the first time, and says when to come again."""

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, the second time."""
        transcript = await super().transcribe(audio, options, on_segment)
        if len(self.calls) == 1:
            raise OverloadedError("The queue is full.", 1)
        return transcript


@contextmanager
def app_of(transcriber: Transcriber, settings: Settings | None = None) -> Iterator[Reachable]:
    """Our app with this transcriber."""
    app = create_app("of the tests")
    app.state.registry = served("base", transcriber=transcriber)
    with listening(MiddlewareStack(app, settings or Settings(), Drain(0))) as url:
        yield Listening(url)


@promises("Streaming", "an error in mid-stream: OpenAI's Python SDK raises it as APIError")
def test_error_in_mid_stream() -> None:
    with app_of(BreakingTranscriber(error=STOPPING)) as server, strict_sdk(server) as sdk:
        stream = sdk.audio.transcriptions.create(file=CLIP, model="base", stream=True)
        with pytest.raises(openai.APIError, match="shutting down"):
            list(stream)


@promises("Streaming", f"an error in mid-stream: {NODE_SDK} throw it as APIError")
def test_error_in_mid_stream_node(node_sdk: OpenAISdk) -> None:
    with app_of(BreakingTranscriber(error=STOPPING)) as server:
        outcome = node_sdk.transcribe(server, model="base", stream=True)

    assert outcome.error.name == "APIError"
    assert "shutting down" in outcome.error.message
    assert len(outcome.requests) == 1


@promises("Streaming", "keep-alive comments, which every decoder passes over")
def test_keep_alive(node_sdk: OpenAISdk, monkeypatch: pytest.MonkeyPatch) -> None:
    # Before the fault comes, 0.1 s later.
    monkeypatch.setattr(streaming, "KEEP_ALIVE_SECONDS", 0.02)
    with app_of(BreakingTranscriber(error=STOPPING)) as server, strict_sdk(server) as sdk:
        create = sdk.audio.transcriptions.with_streaming_response.create
        with create(file=CLIP, model="base", stream=True) as answer:
            assert b": keep-alive\n\n" in answer.read()
        with pytest.raises(openai.APIError, match="shutting down"):
            list(sdk.audio.transcriptions.create(file=CLIP, model="base", stream=True))
        node = node_sdk.transcribe(server, model="base", stream=True)

    assert "shutting down" in node.error.message


@promises("Errors", "overloaded: 503 with `retry-after`, which both SDKs obey")
def test_overloaded_is_tried_again() -> None:
    busy = BusyOnce()
    with app_of(busy) as server, strict_sdk(server).with_options(max_retries=1) as sdk:
        assert sdk.audio.transcriptions.create(file=CLIP, model="base").text == SPOKEN

    assert len(busy.calls) == 2


@promises("Errors", "overloaded: 503 with `retry-after`, which both SDKs obey")
def test_overloaded_is_tried_again_node(node_sdk: OpenAISdk) -> None:
    with app_of(BusyOnce()) as server:
        outcome = node_sdk.transcribe(server, model="base")

    assert outcome.value["text"] == SPOKEN
    assert len(outcome.requests) == 2


@promises("Errors", "a request past its time: 504, which SDKs do not send again", "extension")
def test_deadline_is_not_tried_again(node_sdk: OpenAISdk) -> None:
    with app_of(EndlessTranscriber(), Settings(timeout=1)) as server:
        outcome = node_sdk.transcribe(server, model="base")
        sdk = strict_sdk(server).with_options(max_retries=2)
        with pytest.raises(openai.InternalServerError) as caught:
            sdk.audio.transcriptions.create(file=CLIP, model="base")

    assert (outcome.error.status, outcome.error.code) == (504, "timeout")
    assert len(outcome.requests) == 1
    assert caught.value.request.headers["x-stainless-retry-count"] == "0"
