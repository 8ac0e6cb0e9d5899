"""Faults in a session: models that fail or load, and clients that hang up."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from models.errors import DecodingError, OverloadedError
from models.live.ears import Ears, HeardFrame
from models.live.events import Failed
from models.live.live_session import LiveSession
from tests.models.live.speaking import (
    MANUAL,
    Models,
    Script,
    completions,
    names,
    options,
    pcm,
    run,
    said,
    speaker,
)


def test_a_failure_is_the_turns_own() -> None:
    async def talk() -> None:
        script = Script(failure=DecodingError("It failed."))
        async with speaker(Models(m=script), MANUAL) as speaking:
            await speaking.say(said(0, 3))
            assert speaking.events == []
            speaking.session.commit()
            await speaking.quiet()
            script.failure = None
            await speaking.say(said(3, 7))
            speaking.session.commit()
            events = await speaking.finish()
        told = [name for name in names(events) if not name.startswith("Delta")]
        assert told == ["Committed 0", "Failed 0", "Committed 1", "Completed 1"]
        (failed,) = [event for event in events if isinstance(event, Failed)]
        assert failed.error.message == "It failed."

    run(talk())


def test_a_fault_of_our_own_is_told_as_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def talk() -> None:
        script = Script(failure=RuntimeError("broken"))
        async with speaker(Models(m=script), MANUAL) as speaking:
            await speaking.say(said(0, 3))
            speaking.session.commit()
            events = await speaking.finish()
        assert names(events) == ["Committed 0", "Failed 0"]

    run(talk())
    assert "a live turn failed" in caplog.text


def test_a_model_that_is_loading_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.live.turn_tasks._MODEL_RETRY", 0.01)

    class Loading(Models):
        refusals = 3

        def use(self, name: str) -> Any:
            if self.refusals:
                self.refusals -= 1
                raise OverloadedError("It is loading.", 5.0)
            return super().use(name)

    async def talk() -> None:
        async with speaker(Loading(m=Script()), MANUAL) as speaking:
            await speaking.say(said(0, 3), waits=False)
            speaking.session.commit()
            assert len(completions(await speaking.finish())) == 1

    run(talk())


def test_who_hangs_up_takes_all_windows_along() -> None:
    async def talk() -> None:
        never = asyncio.Event()
        script = Script(delay=lambda _: never.wait())
        models = Models(m=script)
        live = options(turn_detection=None, delay="xhigh")
        async with speaker(models, live) as speaking:
            for _ in range(3):
                await speaking.say(said(0, 3), waits=False)
                speaking.session.commit()
            await asyncio.wait_for(script.begun.acquire(), 120)
            await asyncio.wait_for(script.begun.acquire(), 120)
            await asyncio.wait_for(script.begun.acquire(), 120)
            await speaking.session.aclose()
            await speaking.session.aclose()
        assert (script.cancelled, models.users) == (3, 0)
        assert completions(speaking.events) == []

    run(talk())


def test_a_fault_while_hearing_ends_the_session_and_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("broken")

    async def talk() -> None:
        session = LiveSession(Models(m=Script()), MANUAL)
        session.append(pcm(said(0, 2)))
        monkeypatch.setattr("models.live.ears.Ears.hear", fail)
        await asyncio.wait_for(session.room(), 120)
        with pytest.raises(DecodingError, match="could not be heard"):
            await asyncio.wait_for(anext(session.events()), 120)
        await session.aclose()

    run(talk())
    assert "a live session failed" in caplog.text


def test_a_committed_turn_fails_where_there_is_no_time_for_it() -> None:
    async def talk() -> None:
        never = asyncio.Event()
        script = Script(delay=lambda _: never.wait())
        async with speaker(Models(m=script), MANUAL) as speaking:
            for _ in range(2):
                await speaking.say(said(0, 3), waits=False)
                speaking.session.commit()
            while len(speaking.events) < 2:  # noqa: ASYNC110 - threads set no event
                await asyncio.sleep(0.001)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(speaking.session.finish(), 0.5)
            events = await speaking.finish()
        assert names(events) == ["Committed 0", "Committed 1", "Failed 0", "Failed 1"]

    run(talk())


def test_a_close_that_is_cancelled_leaves_no_window_in_the_engine() -> None:
    async def talk() -> None:
        never = asyncio.Event()
        script = Script(delay=lambda _: never.wait())
        models = Models(m=script)
        async with speaker(models, MANUAL) as speaking:
            await speaking.say(said(0, 3), waits=False)
            await asyncio.wait_for(script.begun.acquire(), 10)
            closing = asyncio.create_task(speaking.session.aclose())
            await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
            async with asyncio.timeout(10):
                while models.users:  # noqa: ASYNC110 - nobody tells it
                    await asyncio.sleep(0.01)
            assert script.cancelled == 1

    run(talk())


def test_what_comes_at_once_before_the_end_is_not_heard_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[float] = []
    drain = Ears.drain

    def noted(ears: Ears) -> list[HeardFrame]:
        left.append(ears.pending)
        return drain(ears)

    monkeypatch.setattr(Ears, "drain", noted)

    async def talk() -> None:
        async with speaker(Models(m=Script()), MANUAL) as speaking:
            speaking.session.append(pcm(np.concatenate([said()] * 3)))
            (completed,) = completions(await speaking.finish())
        assert completed.seconds >= 30
        assert left
        assert max(left) <= 1.0

    run(talk())
