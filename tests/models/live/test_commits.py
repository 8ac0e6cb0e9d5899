"""Commits and clears: what of a session's sound is a turn, and which turns have a text."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.errors import EmptyBufferError
from models.live.events import SpeechStarted
from tests.models.live.speaking import (
    MANUAL,
    ONE_TURN,
    Models,
    Script,
    completions,
    names,
    options,
    pcm,
    run,
    said,
    silence,
    speaker,
)


@pytest.mark.parametrize("delay", ["medium", "xhigh"])
def test_commit_then_clear_completes_what_was_committed(delay: str) -> None:
    async def talk() -> None:
        live = options(turn_detection=None, delay=delay)
        async with speaker(Models(m=Script()), live) as speaking:
            await speaking.say(said(0, 3), waits=False)
            speaking.session.commit()
            speaking.session.clear()
            events = await speaking.finish()

        told = [name for name in names(events) if not name.startswith("Delta")]
        assert sorted(told) == ["Cleared", "Committed 0", "Completed 0"]
        assert told.index("Committed 0") < told.index("Cleared")
        assert completions(events)[0].transcript

    run(talk())


def test_a_commit_needs_a_tenth_of_a_second() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script()), MANUAL) as speaking:
            with pytest.raises(EmptyBufferError, match=r"0\.00 ms"):
                speaking.session.commit()
            await speaking.append(pcm(said(0, 0.099)))
            with pytest.raises(EmptyBufferError, match=r"99\.00 ms"):
                speaking.session.commit()
            await speaking.append(pcm(said(0.099, 0.1)))
            speaking.session.commit()
            with pytest.raises(EmptyBufferError):
                speaking.session.commit()
            assert names(await speaking.finish()) == ["Committed 0", "Completed 0"]

    run(talk())


def test_a_commit_where_turns_are_detected_needs_speech() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script())) as speaking:
            await speaking.say(silence(3))
            with pytest.raises(EmptyBufferError, match="no speech"):
                speaking.session.commit()
            await speaking.say(said(0, 2))
            speaking.session.commit()
            told = [n for n in names(await speaking.finish()) if not n.startswith("Delta")]
        assert told == ["SpeechStarted 0", "SpeechStopped 0", "Committed 0", "Completed 0"]

    run(talk())


def test_a_turn_that_begins_as_another_ends_can_be_committed() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script())) as speaking:
            speaking.session.append(pcm(np.concatenate([said(0, 2.3), silence(1), said(0.3, 2)])))
            speaking.session.configure(options())
            assert names(speaking.events) == []
            speaking.session.commit()
            with pytest.raises(EmptyBufferError, match=r" 0\.00 ms"):
                speaking.session.commit()
            events = await speaking.finish()
        assert [name for name in names(events) if "Completed" in name] == [
            "Completed 0",
            "Completed 1",
        ]

    run(talk())


def test_commits_in_a_word_lose_and_double_nothing() -> None:
    async def talk() -> None:
        script = Script()
        live = options(turn_detection=None, delay="xhigh")
        sound = said()
        async with speaker(Models(m=script), live) as speaking:
            for start, end in pairwise([0, 16_001, 16_001 + 7_777, 95_000, len(sound)]):
                await speaking.append(pcm(sound[start:end]), waits=False)
                speaking.session.commit()
            await speaking.finish()
        assert np.array_equal(np.concatenate(script.transcribed), sound)

    run(talk())


def test_a_cleared_turn_is_never_completed_and_times_go_on() -> None:
    async def talk() -> None:
        script = Script()
        models = Models(m=script)
        async with speaker(models, ONE_TURN) as speaking:
            await speaking.say(said(0, 4))
            speaking.session.clear()
            assert speaking.session.turns == 1
            await speaking.say(silence(2), said(0, 4), silence(2.5))
            await speaking.quiet()
            assert models.users == 0
            events = await speaking.finish()
        assert names(completions(events)) == ["Completed 1"]  # type: ignore[arg-type]
        cleared = names(events).index("Cleared")
        later = [name for name in names(events)[cleared:] if name.endswith(" 0")]
        assert later == []
        (started,) = [e for e in events if isinstance(e, SpeechStarted) and e.turn == 1]
        assert 5_500 <= started.audio_start_ms <= 6_500

    run(talk())


def test_committed_turns_outlive_a_clear_and_another_model() -> None:
    async def talk() -> None:
        hold = asyncio.Event()
        one, two = Script(" one", delay=lambda _: hold.wait()), Script(" two")
        models = Models(one=one, two=two)
        live = options(model="one", turn_detection=None, delay="xhigh")
        async with speaker(models, live) as speaking:
            await speaking.say(said(0, 3), waits=False)
            speaking.session.commit()
            await speaking.say(said(0, 1), waits=False)
            speaking.session.clear()
            speaking.session.configure(replace(live, model="two"))
            await speaking.say(said(0, 3), waits=False)
            speaking.session.commit()
            hold.set()
            events = await speaking.finish()
        assert [each.transcript for each in completions(events)] == ["one", "two"]

    run(talk())
