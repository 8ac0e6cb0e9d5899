"""Tests of the server: before the models are there, many clients, deadlines, and its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from threading import Event as Flag
from typing import BinaryIO

import pytest
from wyoming.event import Event
from wyoming.info import Describe

from api.wyoming import server, session
from api.wyoming.server import WyomingServer
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from tests.api.fake import EndlessTranscriber, FakeTranscriber
from tests.api.wyoming.talking import INFO, Talk, spoken, talking, until
from tests.wyoming_events import heard, say


def test_what_is_asked_before_the_models_are_loaded() -> None:
    async def ask() -> tuple[Event | None, list[Event]]:
        async with talking(begun=False) as talk, talk.client() as client:
            await say(client, [*spoken(), Describe()])
            described = await client.read_event()
            talk.begin()
            return described, await heard(client)

    described, events = asyncio.run(ask())
    assert described
    assert described.type == "info"
    assert events[-2].data["text"] == "The naïve wind and the sun."


def test_client_that_leaves_before_the_models_are_loaded() -> None:
    transcriber = FakeTranscriber()

    async def ask() -> Talk:
        async with talking(transcriber, begun=False) as talk:
            async with talk.client() as client:
                await say(client, [*spoken(), Describe()])
                await client.read_event()
            await until(lambda: talk.connections[-1] == 0)
            talk.begin()
            await talk.answers(*spoken())
            return talk

    assert [observed.outcome for observed in asyncio.run(ask()).observed] == ["ok"]
    assert len(transcriber.calls) == 1


def test_many_clients_at_once() -> None:
    async def ask() -> tuple[list[list[Event]], Talk]:
        async with talking() as talk:
            answers = [talk.answers(*spoken(language="en")) for _ in range(50)]
            return await asyncio.gather(*answers), talk

    answers, talk = asyncio.run(ask())
    assert all(events == answers[0] for events in answers)
    assert len(answers[0]) == 5
    assert len(talk.observed) == 50
    assert max(talk.connections) > 1


def test_one_client_too_many_hears_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)

    async def ask() -> tuple[list[Event], list[Event]]:
        async with talking() as talk:
            async with AsyncExitStack() as others:
                for _ in range(3):
                    await others.enter_async_context(talk.client())
                await until(lambda: talk.connections == [1, 2, 3])
                refused = await talk.answers(*spoken())
            await until(lambda: talk.connections[-1] == 0)
            return refused, await talk.answers(*spoken())

    [refused], answered = asyncio.run(ask())
    assert refused == Event(
        "error",
        {
            "text": "The server has 3 connections, which is all that it takes.",
            "code": "overloaded",
        },
    )
    assert answered[-1].type == "transcript-stop"


@pytest.mark.parametrize("is_whole", [True, False])
def test_deadline_ends_an_utterance(is_whole: bool) -> None:
    said = spoken() if is_whole else spoken()[:-1]

    async def ask() -> tuple[list[Event], Talk]:
        async with talking(EndlessTranscriber(), seconds=0.3) as talk:
            return await talk.answers(*said), talk

    [error], talk = asyncio.run(ask())
    assert error.data["code"] == "timeout"
    assert error.data["text"] == "The request took longer than 0.3 seconds and was given up."
    assert [observed.outcome for observed in talk.observed] == ["timeout"]


class Slow(FakeTranscriber):
    """Gives its text when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.let = asyncio.Event(), asyncio.Event()

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, later."""
        self.started.set()
        await self.let.wait()
        return await super().transcribe(audio, options, on_segment, stats)


def test_drain_lets_utterances_finish_and_refuses_new_ones() -> None:
    async def ask() -> tuple[list[list[Event]], list[Event], bool]:
        transcriber = Slow()
        async with talking(transcriber) as talk, talk.client() as first, talk.client() as second:
            await say(first, spoken())
            await transcriber.started.wait()
            # This one is still being spoken.
            await say(second, spoken()[:-1])
            await until(lambda: talk.drain.begun == 2)
            talk.drain.begin()
            refused = await talk.answers(*spoken())
            await say(second, spoken()[-1:])
            transcriber.let.set()
            answered = [await heard(first), await heard(second)]
            await asyncio.wait_for(talk.drain.done(), 120)
            return answered, refused, talk.drain.has_begun

    answered, [refused], _ = asyncio.run(ask())
    assert [events[-1].type for events in answered] == ["transcript-stop"] * 2
    assert refused.data == {
        "text": "The server is shutting down. Send the request again.",
        "code": "shutting_down",
    }


def test_what_is_not_done_when_the_drain_ends_is_cut_off() -> None:
    async def ask() -> tuple[list[Event], Talk]:
        transcriber = EndlessTranscriber()
        async with talking(transcriber, drain_seconds=0.2) as talk, talk.client() as client:
            await say(client, spoken())
            await transcriber.started.wait()
            talk.drain.begin()
            return await heard(client), talk

    [error], talk = asyncio.run(ask())
    assert error.data["code"] == "shutting_down"
    assert [observed.outcome for observed in talk.observed] == ["refused"]


def test_end_of_the_server_ends_its_connections() -> None:
    async def ask() -> tuple[Event | None, float]:
        async with talking() as talk, talk.client() as client:
            await say(client, [Describe()])
            assert await client.read_event()
            began = asyncio.get_running_loop().time()
            talk.server.close()
            return await client.read_event(), asyncio.get_running_loop().time() - began

    event, took = asyncio.run(ask())
    assert event is None
    # Sooner than who is idle is sent away.
    assert took < session.IDLE_SECONDS / 2


def test_server_answers_when_its_turn_comes() -> None:
    held = Flag()

    @contextmanager
    def waiting() -> Iterator[None]:
        held.wait(120)
        yield

    async def ask() -> tuple[bool, Event | None]:
        listener = socket.create_server(("127.0.0.1", 0))
        later = WyomingServer(listener, INFO, 600, waiting(), lambda _: None)
        address = listener.getsockname()
        later.start()
        talk = Talk(later, address, None, None)  # type: ignore[arg-type]
        async with talk.client() as client:
            await say(client, [Describe()])
            reading = asyncio.create_task(client.read_event())
            done, _ = await asyncio.wait([reading], timeout=0.3)
            held.set()
            described = await reading
        later.close()
        return bool(done), described

    early, described = asyncio.run(ask())
    assert not early
    assert described
    assert described.type == "info"
