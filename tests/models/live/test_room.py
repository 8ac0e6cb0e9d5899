"""Room for sound: senders that are faster than the engine, and readers that are slower."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from models.errors import DecodingError
from models.live.events import Reply
from models.live.live_session import LiveSession
from tests.models.live.speaking import (
    MANUAL,
    Models,
    Script,
    Speaker,
    completions,
    deltas,
    names,
    run,
    said,
    speaker,
)


def test_a_sender_waits_until_its_events_are_told() -> None:
    async def talk() -> None:
        session = LiveSession(Models(), MANUAL)
        for number in range(257):
            session.reply(number)
        waiting = asyncio.create_task(session.room())
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        assert await anext(session.events()) == Reply(0)
        await asyncio.wait_for(waiting, 120)
        await session.aclose()

    run(talk())


def test_a_sender_that_is_too_fast_waits_for_room() -> None:
    async def talk() -> None:
        gate = asyncio.Event()
        script = Script(delay=lambda _: gate.wait())
        async with speaker(Models(m=script), MANUAL) as speaking:
            sending = asyncio.create_task(
                speaking.say(np.concatenate([said()] * 12), seconds=1, waits=False)
            )
            while speaking.session.seconds < 60:  # noqa: ASYNC110 - threads set no event
                await asyncio.sleep(0.01)
            done, _ = await asyncio.wait([sending], timeout=1)
            assert not done
            assert 60 <= speaking.session.seconds <= 70
            gate.set()
            await sending
            speaking.session.commit()
            (completed,) = completions(await speaking.finish())
        assert max(len(window.samples) for window in script.windows) <= 20 * 16_000
        assert completed.transcript == "".join(deltas(speaking.events))
        # Two words a second are said: of 91 s of speech at least, of 132 s of sound at most.
        assert 180 <= len(completed.transcript.split()) <= 264

    run(talk())


async def until_it_waits(speaking: Speaker, sending: asyncio.Task[None]) -> None:
    """Until all that may be heard is, and the sender waits for room."""
    while not speaking.session._turns.is_behind:  # noqa: ASYNC110, SLF001
        await asyncio.sleep(0.01)
    while speaking.session.has_batch:  # noqa: ASYNC110 - threads set no event
        await asyncio.sleep(0.01)
    assert not sending.done()


def test_a_sender_goes_on_once_a_part_of_a_whole_turn_is_transcribed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for room in ("whole_turn", "session_turns"):
        monkeypatch.setattr(f"models.live.{room}.PART_LENGTH", 12 * 16_000)
    monkeypatch.setattr("models.live.session_turns._MAX_UNDECODED", 4 * 16_000)

    async def talk() -> None:
        gate = asyncio.Event()
        script = Script(delay=lambda _: gate.wait())
        async with speaker(Models(m=script), replace(MANUAL, delay="xhigh")) as speaking:
            sending = asyncio.create_task(
                speaking.say(np.concatenate([said()] * 3), seconds=1, waits=False)
            )
            await until_it_waits(speaking, sending)
            gate.set()
            await asyncio.wait_for(sending, 120)

    run(talk())


def test_a_sender_goes_on_once_its_turn_has_failed() -> None:
    async def talk() -> None:
        gate = asyncio.Event()
        script = Script(delay=lambda _: gate.wait(), failure=DecodingError("It failed."))
        async with speaker(Models(m=script), MANUAL) as speaking:
            sending = asyncio.create_task(
                speaking.say(np.concatenate([said()] * 8), seconds=1, waits=False)
            )
            await asyncio.wait_for(script.begun.acquire(), 120)
            await until_it_waits(speaking, sending)
            gate.set()
            await asyncio.wait_for(sending, 120)
            speaking.session.commit()
            assert names(await speaking.finish()) == ["Committed 0", "Failed 0"]

    run(talk())
