"""Lag of settled text: the sound that has come behind its last word."""

from __future__ import annotations

import asyncio

import pytest

from models.live.events import Delta, LiveEvent
from models.live.turn_places import TurnPlaces
from tests.models.live.speaking import (
    MANUAL,
    Models,
    Script,
    run,
    said,
    silence,
    speaker,
)


def lags(events: list[LiveEvent], turn: int = 0) -> list[float]:
    found = [each.lag for each in events if isinstance(each, Delta) and each.turn == turn]
    assert found
    assert all(lag is not None for lag in found)
    return [lag or 0.0 for lag in found]


def test_places_behind_silence_that_was_left_out_are_further_in_the_session() -> None:
    places = TurnPlaces(100)
    places.move(50, 1100)

    assert [places.in_session(each) for each in (0, 49, 50, 51, 60)] == [100, 149, 150, 1151, 1160]


@pytest.mark.parametrize("later", [0.0, 3.0, 6.0])
def test_last_words_lag_behind_all_sound_that_comes_until_their_text(later: float) -> None:
    async def talk() -> None:
        hold = asyncio.Event()
        hold.set()

        async def delay(_: int) -> None:
            await hold.wait()

        script = Script(delay=delay)
        async with speaker(Models(m=script), MANUAL) as speaking:
            # In the midst of speech.
            await speaking.say(said(0, 3.7))
            hold.clear()
            decoded, before = len(script.windows), len(deltas_of(speaking.events))
            speaking.session.commit()
            while len(script.windows) == decoded:  # noqa: ASYNC110 - a window sets no event
                await asyncio.sleep(0.001)
            if later:
                await speaking.say(silence(later), waits=False)
            while speaking.session.has_batch:  # noqa: ASYNC110 - threads set no event
                await asyncio.sleep(0.001)
            hold.set()
            events = await speaking.finish()
        assert len(deltas_of(events)) == before + 1
        # A word is there for each half second of speech, so that the last ends before a pause does.
        assert later <= lags(events)[-1] <= later + 2.0

    run(talk())


def deltas_of(events: list[LiveEvent]) -> list[Delta]:
    return [event for event in events if isinstance(event, Delta)]


def test_silence_that_is_left_out_of_a_turn_is_no_lag_of_the_words_behind_it() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script()), MANUAL) as speaking:
            await speaking.say(silence(5), said(0, 4))
            await speaking.say(silence(60), seconds=1)
            before = len(deltas_of(speaking.events))
            await speaking.say(said(0, 4))
            speaking.session.commit()
            events = await speaking.finish()
        told = lags(events)
        assert before
        assert len(told) > before
        assert max(told[:before]) <= 5
        assert max(told[-2:]) <= 5

    run(talk())
