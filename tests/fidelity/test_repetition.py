"""Real repetition against decoding loops; real weights, int8."""

from __future__ import annotations

import re
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
from tests.speech_clips import OWN_SPEECH, jfk
from tests.transcribing import transcribe

REPEATED = OWN_SPEECH / "clips" / "repeated"
HELLOS = REPEATED / "hello-eight-times.flac"
DIGITS = REPEATED / "card-number-4-and-fifteen-1.ogg"
OPTIONS = TranscribeOptions(language="en")


@pytest.fixture(scope="module")
def transcriber(weights: Callable[[str], Weights]) -> Iterator[Transcriber]:
    started = Transcriber(start_engine(weights("base"), EngineConfig(device="cpu")))
    yield started
    started.close()


def times(sound: Samples, count: int, pause: float) -> Samples:
    """A sound so many times, with silence between, in seconds."""
    return np.tile(np.pad(sound, (0, round(16_000 * pause))), count)


def counted(transcript: Transcript, pattern: str) -> int:
    return len(re.findall(pattern, transcript.text.lower()))


def is_flagged(transcript: Transcript) -> bool:
    return any("repetition" in segment.flags for segment in transcript.segments)


def test_eight_hellos_are_eight(transcriber: Transcriber) -> None:
    assert counted(transcribe(transcriber, load(HELLOS), OPTIONS), "hello") == 8


def test_sixteen_digits_are_kept_and_flagged(transcriber: Transcriber) -> None:
    transcript = transcribe(transcriber, load(DIGITS), OPTIONS)
    assert re.match("4|four", transcript.text.lower())
    assert counted(transcript, "1|4|one|four") == 16
    assert is_flagged(transcript)


@pytest.mark.parametrize("strategy", ["sequential", "parallel"])
def test_a_refrain_is_said_as_often_as_it_is(transcriber: Transcriber, strategy: str) -> None:
    options = replace(OPTIONS, strategy=strategy)  # type: ignore[arg-type]
    transcript = transcribe(transcriber, times(load(jfk().path), 4, 0.1), options)
    assert counted(transcript, "what you can do for your country") == 4
    assert counted(transcript, "my fellow americans") == 4
    assert all(segment.avg_logprob > -1.0 for segment in transcript.segments)


def test_what_is_cut_is_kept_where_that_is_asked_for(transcriber: Transcriber) -> None:
    options = replace(OPTIONS, loop_threshold=None, temperature=(0.0,))
    transcript = transcribe(transcriber, load(HELLOS), options)
    assert counted(transcript, "hello") >= 8
