"""Options that change while a session runs: detection, model, language, format."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.live.events import SpeechStarted
from models.live.live_options import AudioFormat
from models.options import TranscribeOptions
from tests.models.live.speaking import (
    MANUAL,
    ONE_TURN,
    PCM,
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


def test_a_turn_that_is_open_when_turns_come_to_be_detected_is_told() -> None:
    async def talk() -> None:
        async with speaker(Models(m=Script()), MANUAL) as speaking:
            await speaking.say(silence(3), said(0, 2))
            speaking.session.configure(ONE_TURN)
            speaking.session.configure(ONE_TURN)
            await speaking.say(silence(2.5))
            events = await speaking.finish()
        told = [name for name in names(events) if not name.startswith("Delta")]
        assert told == ["SpeechStarted 0", "SpeechStopped 0", "Committed 0", "Completed 0"]
        (started,) = [event for event in events if isinstance(event, SpeechStarted)]
        assert 2_700 <= started.audio_start_ms <= 3_300

    run(talk())


def test_a_turn_that_began_without_a_model_has_no_text() -> None:
    async def talk() -> None:
        script = Script()
        async with speaker(Models(m=script), replace(MANUAL, model=None)) as speaking:
            await speaking.say(said(0, 2))
            speaking.session.configure(MANUAL)
            await speaking.say(said(2, 3))
            speaking.session.commit()
            assert names(await speaking.finish()) == ["Committed 0"]
        assert script.windows == []

    run(talk())


@pytest.mark.parametrize("language", [None, "de"])
def test_the_language_of_a_turn_of_silence_is_that_of_the_options(language: str | None) -> None:
    async def talk() -> None:
        live = replace(MANUAL, transcription=TranscribeOptions(language=language))
        async with speaker(Models(m=Script()), live) as speaking:
            await speaking.say(silence(1))
            speaking.session.commit()
            (completed,) = completions(await speaking.finish())
        assert completed.language == (language or "")

    run(talk())


def test_an_open_turn_keeps_its_model() -> None:
    async def talk() -> None:
        models = Models(one=Script(" one"), two=Script(" two"))
        live = options(model="one", turn_detection=None, delay="xhigh")
        async with speaker(models, live) as speaking:
            await speaking.say(said(0, 2))
            speaking.session.configure(replace(live, model="two"))
            await speaking.say(said(2, 3))
            speaking.session.commit()
            await speaking.say(said(4, 8))
            speaking.session.commit()
            events = await speaking.finish()
        assert [each.transcript for each in completions(events)] == ["one", "two"]

    run(talk())


def test_sound_before_a_change_of_format_is_heard_in_the_old_one() -> None:
    async def talk() -> None:
        script = Script()
        live = options(turn_detection=None, delay="xhigh")
        async with speaker(Models(m=script), live) as speaking:
            speaking.session.append(pcm(said(0, 2)))
            speaking.session.configure(replace(live, format=AudioFormat("g711_ulaw", 8_000)))
            speaking.session.append(b"\xff" * 8_000)
            speaking.session.configure(replace(live, format=PCM))
            speaking.session.append(pcm(said(3.3, 5.3)))
            speaking.session.commit()
            await speaking.finish()
        (samples,) = script.transcribed
        assert np.array_equal(samples[:32_000], said(0, 2))
        # The resampler's rounding is a bit of sixteen.
        assert np.abs(samples[32_000:47_900]).max() <= 1 / 32_768
        assert np.array_equal(samples[-32_000:], said(3.3, 5.3))
        assert speaking.session.seconds == 5.0

    run(talk())


@pytest.mark.parametrize("sizes", [(1,), (3,), (0, 1, 2, 3199)])
def test_appends_of_any_size_are_the_same_sound(sizes: tuple[int, ...]) -> None:
    async def talk() -> None:
        script = Script()
        live = options(turn_detection=None, delay="xhigh")
        audio = pcm(said(0, 2)) + b"\x01"
        async with speaker(Models(m=script), live) as speaking:
            start, number = 0, 0
            while start < len(audio):
                size = sizes[number % len(sizes)]
                speaking.session.append(audio[start : start + size])
                start, number = start + size, number + 1
            speaking.session.commit()
            await speaking.finish()
        assert np.array_equal(np.concatenate(script.transcribed), said(0, 2))

    run(talk())
