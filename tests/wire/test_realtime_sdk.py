"""OpenAI's Python SDK, sync and async, over the realtime API of a real server."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from typing import Any

import openai
import pytest
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent as Completed,
)
from openai.types.realtime import (
    RealtimeErrorEvent,
    RealtimeServerEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)
from openai.types.realtime.realtime_transcription_session_create_request_param import (
    RealtimeTranscriptionSessionCreateRequestParam as Session,
)

from tests.server import Server, strict_sdk
from tests.wire.conftest import KEY
from tests.wire.http import TEXT
from tests.wire.promises import promises
from tests.wire.realtime_client import COMPLETED, appends, pcm, silence

EXTRA = {"intent": "transcription"}
SESSION: Session = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "whisper-1", "language": "en"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        }
    },
    "include": ["item.input_audio_transcription.logprobs"],
}


def until_completed(events: Iterable[RealtimeServerEvent]) -> list[RealtimeServerEvent]:
    """The events up to a turn's transcript."""
    heard: list[RealtimeServerEvent] = []
    for event in events:
        assert not isinstance(event, RealtimeErrorEvent), event
        heard.append(event)
        if isinstance(event, Completed):
            return heard
    raise AssertionError("It was closed.")


def speak(connection: Any) -> None:
    """Append a clip, and the pause that ends its turn."""
    for event in appends(pcm() + silence(1000)):
        connection.input_audio_buffer.append(audio=event["audio"])


@promises(
    "Clients",
    "OpenAI's Python SDK, `realtime.connect`: a turn, every event checked against its types",
)
def test_a_turn_by_the_sync_client(server: Server) -> None:
    with strict_sdk(server) as sdk, sdk.realtime.connect(extra_query=EXTRA) as connection:
        connection.session.update(session=SESSION)
        speak(connection)
        created, updated, *_, completed = until_completed(connection)

    assert isinstance(created, SessionCreatedEvent)
    assert isinstance(updated, SessionUpdatedEvent)
    assert isinstance(completed, Completed)
    assert completed.transcript == TEXT
    assert completed.logprobs
    assert completed.usage.type == "tokens"


@promises("Clients", "OpenAI's asynchronous Python SDK, `realtime.connect`: a turn")
def test_a_turn_by_the_async_client(server: Server) -> None:
    async def turn() -> str:
        sdk = openai.AsyncOpenAI(
            base_url=f"{server.url}/v1", api_key="unused", _strict_response_validation=True
        )
        async with sdk, sdk.realtime.connect(model="tiny.en", extra_query=EXTRA) as connection:
            await connection.session.update(
                session={"type": "transcription", "audio": {"input": {"turn_detection": None}}}
            )
            await connection.input_audio_buffer.append(audio=base64.b64encode(pcm()).decode())
            await connection.input_audio_buffer.commit()
            async for event in connection:
                assert not isinstance(event, RealtimeErrorEvent), event
                if isinstance(event, Completed):
                    return event.transcript
        raise AssertionError("It was closed.")

    assert "comparatively modern" in asyncio.run(turn())


@promises("Clients", "OpenAI's Python SDK, `realtime.connect`: handlers of events")
def test_handlers_are_called(server: Server) -> None:
    texts: list[str] = []
    with strict_sdk(server) as sdk, sdk.realtime.connect(extra_query=EXTRA) as connection:

        def completed(event: Any) -> None:
            texts.append(event.transcript)
            connection.close()

        connection.on(COMPLETED, completed)
        speak(connection)
        connection.dispatch_events()

    assert texts == [TEXT]


@promises("Clients", "OpenAI's Python SDK, `AzureOpenAI`, `realtime.connect`: a turn")
def test_azures_client(guarded: Server) -> None:
    sdk = openai.AzureOpenAI(
        azure_endpoint=guarded.url,
        api_version="2025-04-01-preview",
        api_key=KEY,
        # It would take an endpoint without TLS for one with it.
        websocket_base_url=f"{guarded.url.replace('http', 'ws', 1)}/openai",
    )
    with sdk, sdk.realtime.connect(model="tiny.en", extra_query=EXTRA) as connection:
        speak(connection)
        *_, completed = until_completed(connection)

    assert isinstance(completed, Completed)
    assert "comparatively modern" in completed.transcript


@promises(
    "Clients", "OpenAI's Python SDK, `realtime.connect`: a client secret in the place of a key"
)
def test_a_client_secret_in_the_place_of_a_key(guarded: Server) -> None:
    with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=KEY) as sdk:
        made = sdk.realtime.client_secrets.create(session=SESSION)
    with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=made.value) as page:
        with page.realtime.connect(extra_query=EXTRA) as connection:
            created = connection.recv()
        with pytest.raises(openai.AuthenticationError):
            page.models.list()

    assert isinstance(created, SessionCreatedEvent)
    assert created.session.audio
    assert made.value not in guarded.printed
    assert KEY not in guarded.printed
