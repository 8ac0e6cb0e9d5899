"""Sessions: turns from their beginning to their end, and events in order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from models.live.events import Committed, Completed, Reply, SpeechStarted, SpeechStopped
from models.live.live_options import SemanticVad, ServerVad
from models.request_stats import RequestStats
from tests.models.live.speaking import (
    MANUAL,
    ONE_TURN,
    Models,
    Script,
    completions,
    deltas,
    names,
    options,
    pcm,
    run,
    said,
    silence,
    speaker,
)


def test_a_turn_is_started_stopped_committed_and_completed_in_this_order() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script()), ONE_TURN) as speaking:
            await speaking.say(silence(1), said(), silence(2.5))
            events = await speaking.finish()

        told = [name for name in names(events) if not name.startswith("Delta")]
        assert told == ["SpeechStarted 0", "SpeechStopped 0", "Committed 0", "Completed 0"]
        started, stopped = events[0], next(e for e in events if isinstance(e, SpeechStopped))
        assert isinstance(started, SpeechStarted)
        assert 700 <= started.audio_start_ms <= 1300
        assert 12_700 <= stopped.audio_end_ms <= 14_000
        (completed,) = completions(events)
        assert completed.transcript == "".join(deltas(events))
        assert abs(completed.seconds - (stopped.audio_end_ms - started.audio_start_ms) / 1e3) < 0.01

    run(talk())


def test_deltas_come_while_somebody_speaks_and_are_never_contradicted() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script()), replace(ONE_TURN, delay="low")) as speaking:
            await speaking.say(said())
            before = deltas(speaking.events)
            events = await speaking.finish()

        assert len(before) >= 10
        assert deltas(events)[: len(before)] == before
        assert completions(events)[0].transcript == "".join(deltas(events))

    run(talk())


def test_a_turn_completes_after_the_turn_ahead_of_it() -> None:
    async def talk() -> None:
        first, second = asyncio.Event(), asyncio.Event()

        async def delay(number: int) -> None:
            await (first if number == 0 else second).wait()

        script = Script(delay=delay)
        live = options(turn_detection=None, delay="xhigh")
        async with speaker(Models(m=script), live) as speaking:
            for _ in range(2):
                await speaking.say(said(0, 3), waits=False)
                speaking.session.commit()
            second.set()
            await asyncio.sleep(0.2)
            assert names(speaking.events) == ["Committed 0", "Committed 1"]
            first.set()
            events = await speaking.finish()

        told = ["Delta 0", "Completed 0", "Delta 1", "Completed 1"]
        assert names(events) == ["Committed 0", "Committed 1", *told]
        assert len(script.transcribed) == 2

    run(talk())


def test_a_text_that_somebody_has_gone_on_behind_does_not_end_a_turn() -> None:
    async def talk() -> None:
        slow = asyncio.Event()
        paused = SemanticVad("low")

        async def delay(_: int) -> None:
            if script.windows[-1].is_final:
                await slow.wait()

        script = Script(" word.", delay=delay)
        async with speaker(Models(m=script), options(turn_detection=paused)) as speaking:
            await speaking.say(said(0, 2.3), silence(0.2), waits=False)
            while not any(window.is_final for window in script.windows):
                await asyncio.wait_for(script.begun.acquire(), 120)
            await speaking.say(said(0.3, 1.5), waits=False)
            noted = speaking.session._turns._detector  # noqa: SLF001
            while speaking.session.has_batch:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            (task,) = speaking.session._turns.running  # noqa: SLF001
            late = task._decoding  # noqa: SLF001
            slow.set()
            while task._decoding is late:  # noqa: ASYNC110, SLF001
                await asyncio.sleep(0.001)
            assert not noted._sentence_is_finished  # noqa: SLF001

    run(talk())


def test_a_final_begun_in_the_pause_is_the_text_of_the_commit() -> None:
    async def talk() -> None:
        script = Script()
        async with speaker(Models(m=script), MANUAL) as speaking:
            await speaking.say(said(0, 2.3), silence(0.5))
            decoded = len(script.windows)
            assert script.windows[-1].is_final
            speaking.session.commit()
            events = await speaking.finish()
        assert len(script.windows) == decoded
        assert completions(events)[0].transcript

    run(talk())


def test_without_a_model_turns_are_told_and_not_transcribed() -> None:
    async def talk() -> None:
        live = options(model=None, turn_detection=ServerVad())
        async with speaker(Models(), live) as speaking:
            await speaking.say(said(0, 2.3), silence(1))
            events = await speaking.finish()
        assert names(events) == ["SpeechStarted 0", "SpeechStopped 0", "Committed 0"]
        assert events[-1] == Committed(0, has_text=False)

    run(talk())


def test_a_session_has_its_model_while_it_has_a_turn() -> None:
    async def talk() -> None:
        models = Models(m=Script())
        async with speaker(models) as speaking:
            await speaking.say(silence(2))
            assert models.users == 0
            await speaking.say(said(0, 2))
            assert models.users == 1
            await speaking.say(silence(2))
            await speaking.quiet()
            assert models.users == 0

    run(talk())


def test_a_reply_keeps_its_place_among_events() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script()), MANUAL) as speaking:
            await speaking.say(silence(1))
            speaking.session.commit()
            speaking.session.reply("told")
            speaking.session.clear()
            events = await speaking.finish()
        assert names(events) == ["Committed 0", "Completed 0", "Reply", "Cleared"]
        assert events[2] == Reply("told")

    run(talk())


def test_finish_commits_what_is_open() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script())) as speaking:
            await speaking.say(said(0, 2), waits=False)
            events = await speaking.finish()
            speaking.session.append(b"\0" * 32_000)
            assert speaking.session.seconds == 2.0
        assert isinstance(events[-1], Completed)

    run(talk())


def test_two_hundred_turns_leave_nothing_behind() -> None:
    async def talk() -> None:
        models = Models(m=Script())
        async with speaker(models, MANUAL) as speaking:
            for _ in range(200):
                await speaking.append(pcm(said(0.5, 1.0)))
                speaking.session.commit()
                await speaking.quiet()
            assert len(speaking.session._turns.running) == 0  # noqa: SLF001
            assert len(completions(speaking.events)) == 200

    run(talk())


async def work(stats: RequestStats, seconds: float = 0.0) -> None:
    """Let the engine take this for a window."""
    stats.enter(None, "decode")
    await asyncio.sleep(seconds)
    stats.windows += 1
    stats.enter("decode", None)


@pytest.mark.parametrize("delay", ["medium", "xhigh"])
def test_what_turns_take_of_the_engine_is_taken_once(delay: str) -> None:
    async def talk() -> None:
        async def noted(_: int) -> None:
            assert script.stats[-1]
            await work(script.stats[-1])

        script = Script(delay=noted)
        async with speaker(Models(m=script), options(turn_detection=None, delay=delay)) as speaking:
            counts = []
            for _ in range(2):
                await speaking.say(said(0, 4))
                speaking.session.commit()
                await speaking.quiet()
                taken = speaking.session.take_stats()
                assert list(taken) == ["m"]
                counts.append(taken["m"].windows)
                assert taken["m"].stages["decode"].seconds > 0
            assert not speaking.session.take_stats()
        assert min(counts) > 0
        assert sum(counts) == len(script.windows) + len(script.transcribed)
        first, *_, last = script.stats
        assert first is not last

    run(talk())


@pytest.mark.parametrize("ending", ["none", "clear", "close"])
def test_what_an_unfinished_turn_takes_of_the_engine_is_known(ending: str) -> None:
    async def talk() -> None:
        hold, taken = asyncio.Event(), list[int]()

        async def noted(number: int) -> None:
            stats = script.stats[-1]
            assert stats
            await work(stats)
            taken.append(number)
            if number == 1:
                stats.enter(None, "decode")
                try:
                    await hold.wait()
                finally:
                    stats.enter("decode", None)

        script = Script(delay=noted)
        async with speaker(Models(m=script), MANUAL) as speaking:
            await speaking.say(said(0, 3), waits=False)
            for _ in range(2):
                await asyncio.wait_for(script.begun.acquire(), 120)
            await asyncio.sleep(0)
            first = speaking.session.take_stats()["m"]
            assert first.windows >= 1
            if ending == "clear":
                speaking.session.clear()
            elif ending == "close":
                await speaking.session.aclose()
            await asyncio.sleep(0.01)
            rest = speaking.session.take_stats()["m"]
            assert rest.stages["decode"].seconds > 0
            # A slow machine may be asked for a third one meanwhile.
            assert first.windows + rest.windows == len(taken) >= 2
            if ending != "none":
                assert not speaking.session.take_stats()

    run(talk())
