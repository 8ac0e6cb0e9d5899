"""Speech found while a recording is read for something else."""

from __future__ import annotations

import numpy as np
import pytest

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.audio.vad.silero import Silero, load_silero
from models.audio.vad.soft_speech import SoftSpeechStream
from models.audio.vad.whole_file import SpeechMap
from models.options import VoiceOptions
from tests.models.audio.whole import probabilities, speech_spans
from tests.speech_clips import jfk


@pytest.fixture(scope="module")
def detector() -> Silero:
    return load_silero()


@pytest.fixture(scope="module")
def samples() -> Samples:
    quiet = np.zeros(80_000, np.float32)
    return np.concatenate([quiet, load(jfk().path), quiet])


def test_through_gives_the_samples_and_finds_the_spans(detector: Silero, samples: Samples) -> None:
    speech = SpeechMap(detector, VoiceOptions())
    pieces = np.array_split(samples, 7)

    first = np.concatenate(list(speech.through(pieces)))
    spans = list(speech.spans)
    second = np.concatenate(list(speech.through(pieces)))

    assert np.array_equal(first, samples)
    assert np.array_equal(second, samples)
    found = probabilities(SoftSpeechStream(detector), samples)
    assert spans == speech.spans == speech_spans(found, len(samples), VoiceOptions())


def test_between_counts_seconds_of_speech(detector: Silero, samples: Samples) -> None:
    speech = SpeechMap(detector, VoiceOptions())
    for _ in speech.through([samples]):
        pass

    assert speech.between(0.0, 4.0) == 0.0
    assert speech.between(17.0, 21.0) == 0.0
    assert 5.0 < speech.between(0.0, 21.0) < 11.0
    start = speech.spans[0].start / 16_000
    assert speech.between(start, start + 0.25) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("sound", "possible"), [("silence", False), ("white noise", False), ("speech", True)]
)
def test_is_possible_where_there_is_a_trace_of_speech(
    detector: Silero, samples: Samples, sound: str, possible: bool
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)
    heard = {"silence": np.zeros_like(noise), "white noise": noise, "speech": samples}[sound]
    # None of it is a span: it is the trace that counts.
    speech = SpeechMap(detector, VoiceOptions(min_speech_duration_ms=5000))
    for _ in speech.through([heard]):
        pass

    assert speech.spans == []
    assert speech.is_possible is possible
