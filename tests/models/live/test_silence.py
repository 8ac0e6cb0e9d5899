"""Silence around speech: what of an open microphone is decoded."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.models.live.speaking import (
    MANUAL,
    Models,
    Script,
    completions,
    options,
    run,
    said,
    silence,
    speaker,
)


def test_a_turn_of_silence_is_completed_empty_and_never_decoded() -> None:
    async def talk() -> None:
        script = Script()
        models = Models(m=script)
        async with speaker(models, MANUAL) as speaking:
            await speaking.say(silence(4), seconds=1)
            speaking.session.commit()
            (completed,) = completions(await speaking.finish())

        assert (completed.transcript, completed.seconds, completed.audio_tokens) == ("", 4.0, 40)
        assert (script.windows, models.uses) == ([], [])

    run(talk())


@pytest.mark.parametrize("delay", ["medium", "xhigh"])
def test_of_an_open_microphone_nothing_but_the_speech_is_decoded(delay: str) -> None:
    async def talk() -> None:
        script = Script()
        live = options(turn_detection=None, delay=delay)
        async with speaker(Models(m=script), live) as speaking:
            await speaking.say(silence(180), seconds=1)
            await speaking.say(said(0, 4))
            await speaking.say(silence(60), seconds=1)
            speaking.session.commit()
            (completed,) = completions(await speaking.finish())

        longest = [len(each) for each in script.transcribed]
        longest += [len(each.samples) for each in script.windows]
        assert 3.5 <= max(longest) / 16_000 <= 6.5
        assert completed.seconds <= 6.5

    run(talk())


def test_a_long_pause_in_a_turn_is_left_out_and_the_clock_goes_on() -> None:
    async def talk() -> None:
        script = Script()
        live = options(turn_detection=None, delay="xhigh")
        async with speaker(Models(m=script), live) as speaking:
            await speaking.say(said(0, 3), silence(20), said(3, 6), seconds=1)
            speaking.session.commit()
            await speaking.finish()
        assert speaking.session.seconds == 26.0
        (samples,) = script.transcribed
        assert 5.0 <= len(samples) / 16_000 <= 7.5

    run(talk())


def test_a_short_word_behind_a_long_pause_is_decoded() -> None:
    async def talk() -> None:
        slow = asyncio.Event()
        script = Script(delay=lambda number: slow.wait() if number == 0 else asyncio.sleep(0))
        async with speaker(Models(m=script), MANUAL) as speaking:
            await speaking.say(said(0, 2.3), silence(1.8), waits=False)
            await asyncio.wait_for(script.begun.acquire(), 120)
            await asyncio.sleep(0.5)
            slow.set()
            await speaking.say(silence(8), said(0.3, 0.9))
            speaking.session.commit()
            await speaking.finish()
        word = said(0.3, 0.8)
        assert np.array_equal(script.windows[-1].samples[-len(word) - 1_600 : -1_600], word)

    run(talk())
