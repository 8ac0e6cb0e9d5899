"""Live text beside that of the same sound as a file; and what is left when a client hangs up.

With WHISPER_SPEECH it is another corpus's sound, thirty clips and five minutes of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.checkpoints.weights import Weights
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.live.events import Completed
from models.live.live_options import Delay, LiveOptions
from models.options import TranscribeOptions
from models.transcription.transcriber import Transcriber
from models.units import SAMPLE_RATE
from scripts.load_tests.live_speakers import without_edges
from tests.models.live.speaking import (
    ENGLISH,
    Models,
    completions,
    is_the_file,
    options,
    pcm,
    said,
    silence,
    speaker,
)
from tests.models.live.test_live_speech import errors, file_text
from tests.speech_clips import OWN_SPEECH, Clip, clips

IS_WHOLE = "WHISPER_SPEECH" in os.environ
MANUAL = options(model="base", turn_detection=None)
XHIGH = replace(MANUAL, delay="xhigh")
SPOKEN = [clip for clip in clips() if clip.is_speech and clip.seconds < 30]
# Of each language one, or thirty of all; without their edges, as long silence is left out of turns.
SOME = SPOKEN[:: len(SPOKEN) // 30] if IS_WHOLE else {c.language: c for c in SPOKEN}.values()
LONG_SECONDS = 300 if IS_WHOLE else 60
# Words by which live text may be worse than the file's: half a point, or one of the few.
ALLOWED = 0.005


@pytest.fixture(scope="module")
def base(weights: Callable[[str], Weights]) -> Iterator[Transcriber]:
    # One thread: the order of sums is that of the threads, of which a busy machine has fewer.
    config = EngineConfig(device="cpu", threads=1)
    transcriber = Transcriber(start_engine(weights("base"), config))
    yield transcriber
    transcriber.close()


def sent(samples: Samples) -> Samples:
    """A sound as it is sent, in 16 bits."""
    return np.frombuffer(pcm(samples), "<i2").astype(np.float32) / np.float32(32_768)


def pushed(base: Transcriber, live: LiveOptions, sound: Samples) -> list[Completed]:
    """What is completed of sound that comes faster than real time and is committed once."""

    async def talk() -> list[Completed]:
        async with speaker(Models(base=base), live) as speaking:
            await speaking.say(sound, waits=False)
            speaking.session.commit()
            return completions(await speaking.finish())

    return asyncio.run(asyncio.wait_for(talk(), 1800))


@pytest.mark.parametrize("clip", SOME, ids=str)
def test_a_turn_of_the_longest_delay_is_the_file_in_any_language(
    base: Transcriber, clip: Clip
) -> None:
    asked, samples = TranscribeOptions(language=clip.language), sent(without_edges(load(clip.path)))
    (completed,) = pushed(base, replace(XHIGH, transcription=asked), samples)
    transcript = asyncio.run(base.transcribe_samples(samples, asked))

    is_the_file(completed, transcript)


def minutes() -> tuple[str, Samples]:
    """English clips, a breath apart, for minutes: their text and their sound."""
    texts, parts, length = list[str](), list[Samples](), 0.0
    for clip in [clip for clip in SPOKEN if clip.language == "en" and clip.seconds > 2.5]:
        if length < LONG_SECONDS:
            parts += [load(clip.path), silence(0.3)]
            texts.append(clip.text)
            length += clip.seconds + 0.3
    return " ".join(texts), sent(np.concatenate(parts))


@pytest.mark.parametrize("delay", ["medium", "xhigh"])
def test_minutes_with_one_commit_are_one_turn_with_all_of_it(
    base: Transcriber, delay: Delay
) -> None:
    text, sound = minutes()
    (completed,) = pushed(base, replace(MANUAL, delay=delay), sound)
    live, file = errors(text, completed.transcript), errors(text, file_text(base, sound))

    found = f"{len(sound) / SAMPLE_RATE:.0f} s, errors {live}, of the file {file}"
    assert live - file <= max(1, ALLOWED * len(text.split())), found


@pytest.mark.parametrize("delay", ["medium", "xhigh"])
def test_a_prompt_and_keywords_spell_a_name(base: Transcriber, delay: Delay) -> None:
    sound = sent(load(OWN_SPEECH / "clips" / "kathleen" / "arctic_a0124_1592745732.flac"))
    plain = replace(MANUAL, delay=delay)
    prompted = replace(ENGLISH, initial_prompt="Jeanne.")
    known = replace(ENGLISH, keywords=("Jeanne",))

    (heard,) = pushed(base, plain, sound)
    assert "Jean singing" in heard.transcript
    for asked in (prompted, known):
        (heard,) = pushed(base, replace(plain, transcription=asked), sound)
        assert "Jeanne singing" in heard.transcript


def test_who_hangs_up_takes_three_turns_out_of_the_engine_within_a_step(base: Transcriber) -> None:
    async def talk() -> None:
        before = base.state().counters
        async with speaker(Models(base=base), XHIGH) as speaking:
            # The first takes longer than the others are heard.
            for sound in ([said()] * 5, [said()], [said(0, 5)]):
                await speaking.say(*sound, seconds=1, waits=False)
                speaking.session.commit()
            while base.state().running < 3:  # noqa: ASYNC110 - the engine's thread sets no event
                await asyncio.sleep(0.001)
            await speaking.session.aclose()
            at = base.state().counters.steps
        while base.state().running:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        after = base.state().counters
        assert after.cancelled - before.cancelled >= 3
        # The step that was under way, and the one that finds them cancelled.
        assert after.steps - at <= 2
        assert completions(speaking.events) == []

    asyncio.run(asyncio.wait_for(talk(), 120))
