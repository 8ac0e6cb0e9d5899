"""Many requests at once, of speech and of silence: each gets the text that it gets alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.checkpoints.weights import Weights
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.options import TranscribeOptions
from models.text.transcript import Transcript
from models.transcription.transcriber import Transcriber
from tests.speech_clips import clips

REQUESTS = 120
AT_ONCE = 24
QUIET = 4
OPTIONS = TranscribeOptions(language="en", temperature=(0.0,))


@pytest.fixture
def transcriber(weights: Callable[[str], Weights]) -> Iterator[Transcriber]:
    started = Transcriber(start_engine(weights("tiny.en"), EngineConfig(device="cpu", slots=6)))
    yield started
    started.close()


def recordings() -> list[Samples]:
    """Short clips and quiet ones, some of which are decoded although nobody speaks."""
    spoken = [load(clip.path) for clip in clips("en") if clip.seconds < 3.5]
    noise = np.random.default_rng(0).normal(0, 0.01, 32_000).astype(np.float32)
    silence = [np.zeros(16_000 * seconds, np.float32) for seconds in range(1, QUIET)]
    return [*spoken, noise, *silence]


def said(transcript: Transcript) -> list[tuple[object, ...]]:
    """What a reader sees of it."""
    return [
        (s.text, s.tokens, s.start, s.end, [(w.text, w.start, w.end) for w in s.words])
        for s in transcript.segments
    ]


def test_interleaved_requests_have_their_own_text(transcriber: Transcriber) -> None:
    sounds = recordings()
    chance = random.Random(0)
    asked = [(n % len(sounds), n % 3 == 0, n % 2 == 0) for n in range(REQUESTS)]
    chance.shuffle(asked)

    async def ask(sound: int, has_words: bool, is_guarded: bool) -> Transcript:
        drop = OPTIONS.drop if is_guarded else frozenset[str]()
        options = replace(OPTIONS, word_timestamps=has_words, drop=drop)  # type: ignore[arg-type]
        return await transcriber.transcribe_samples(sounds[sound], options)

    async def run() -> list[Transcript]:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(request: tuple[int, bool, bool]) -> Transcript:
            async with free:
                return await ask(*request)

        return list(await asyncio.gather(*map(one, asked)))

    alone = {request: asyncio.run(ask(*request)) for request in sorted(set(asked))}
    together = asyncio.run(run())

    assert list(map(said, together)) == [said(alone[request]) for request in asked]
    assert max(transcriber.engine.counters.batch_sizes) > 1
    quiet = {request for request in alone if request[0] >= len(sounds) - QUIET}
    assert all(alone[request].text for request in alone.keys() - quiet)
    assert [alone[request].text for request in quiet if request[2]] == [""] * (len(quiet) // 2)
    assert any(alone[request].text for request in quiet)
