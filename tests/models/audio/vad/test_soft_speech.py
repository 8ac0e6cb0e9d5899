"""Soft and whispered speech is heard, and what is no speech stays unheard at every level."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.audio.vad.silero import BLOCK, Silero, SileroStream, load_silero
from models.audio.vad.soft_speech import SoftSpeechStream
from models.audio.vad.speech_spans import Span, speech_between
from models.options import VoiceOptions
from models.units import SAMPLE_RATE, VAD_FRAME
from scripts.quality.conditions import at_peak
from scripts.quality.sounds import sounds
from scripts.quality.whispering import whispered
from tests.models.audio.whole import probabilities, speech_spans
from tests.speech_clips import Clip, clips

VOICE = VoiceOptions()
SPOKEN = [clip for clip in clips() if clip.is_speech and clip.seconds < 8]
NOT_SPOKEN = {name: made for name, made in sounds().items() if name.endswith(" 6 s")}


@pytest.fixture(scope="module")
def detector() -> Silero:
    return load_silero()


def in_16_bits(samples: Samples) -> Samples:
    return (np.rint(samples * 32768) / 32768).astype(np.float32)


def spans(found: NDArray[np.float32], samples: Samples) -> list[Span]:
    return speech_spans(found, len(samples), VOICE)


def heard(detector: Silero, samples: Samples) -> list[Span]:
    return spans(probabilities(SoftSpeechStream(detector), samples), samples)


def seconds(found: list[Span], start: float = 0.0, end: float = 1e6) -> float:
    between = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    return speech_between(found, *between) / SAMPLE_RATE


@pytest.mark.parametrize("level", [-30, -40, -50, -60])
@pytest.mark.parametrize("clip", SPOKEN[::3], ids=str)
def test_soft_speech_is_heard_as_far_as_loud(detector: Silero, clip: Clip, level: int) -> None:
    samples = load(clip.path)
    loud = seconds(spans(probabilities(SileroStream(detector), samples), samples))

    soft = seconds(heard(detector, in_16_bits(at_peak(samples, level))))

    assert soft > 0.85 * loud


@pytest.mark.parametrize("clip", SPOKEN, ids=str)
def test_whispered_speech_is_heard(detector: Silero, clip: Clip) -> None:
    samples = load(clip.path)
    loud = seconds(spans(probabilities(SileroStream(detector), samples), samples))

    assert seconds(heard(detector, whispered(samples))) > 0.5 * loud


@pytest.mark.parametrize("pause", [0.2, 1.0, 4.0])
def test_a_far_speaker_is_heard_beside_a_near_one(detector: Silero, pause: float) -> None:
    near, far = at_peak(load(SPOKEN[0].path), -3), at_peak(load(SPOKEN[1].path), -43)
    between = np.zeros(round(pause * SAMPLE_RATE), np.float32)
    samples = in_16_bits(np.concatenate([near, between, far, between, near, between, far]))
    start = (len(near) + len(between)) / SAMPLE_RATE
    alone = seconds(spans(probabilities(SileroStream(detector), far), far))

    found = seconds(heard(detector, samples), start, start + len(far) / SAMPLE_RATE)

    assert found > 0.7 * alone


@pytest.mark.parametrize("level", [-3, -20, -40, -60])
@pytest.mark.parametrize("name", NOT_SPOKEN)
def test_sound_without_speech_is_not_heard(detector: Silero, name: str, level: int) -> None:
    assert heard(detector, in_16_bits(at_peak(NOT_SPOKEN[name], level))) == []


@pytest.mark.parametrize("kind", ["digital silence", "dither", "offset"])
def test_silence_is_not_heard_again(detector: Silero, kind: str) -> None:
    silence = np.zeros(BLOCK, np.float32)
    if kind == "dither":
        silence += np.random.default_rng(0).integers(-2, 3, BLOCK).astype(np.float32) / 32768
    silence += 0.1 if kind == "offset" else 0.0
    once = probabilities(SileroStream(detector), silence)

    assert np.array_equal(SoftSpeechStream(detector).feed(silence), once)


def test_speech_at_a_usual_level_is_heard_once(
    detector: Silero, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = 0
    forward = Silero.forward

    def counted(self: Silero, block: object, memory: object) -> object:
        nonlocal frames
        frames += len(block)  # type: ignore[arg-type]
        return forward(self, block, memory)  # type: ignore[arg-type]

    monkeypatch.setattr(Silero, "forward", counted)
    samples = np.concatenate([load(clip.path) for clip in SPOKEN])

    heard(detector, samples)

    assert frames < 1.15 * len(samples) / VAD_FRAME


def test_what_is_heard_as_it_is_stays_so(detector: Silero) -> None:
    samples = np.concatenate([load(clip.path) for clip in SPOKEN[:4]])
    once = probabilities(SileroStream(detector), samples)

    twice = probabilities(SoftSpeechStream(detector), samples)

    assert (twice >= once).all()
    assert np.array_equal(twice[once >= 0.5], once[once >= 0.5])
