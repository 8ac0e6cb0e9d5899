"""Windows found while the recording is read: those of the whole plan, and little is held."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from models.audio.load.load_audio import load, read
from models.audio.samples import Samples, blocks
from models.audio.vad.silero import BLOCK, Memory, Silero, load_silero
from models.audio.vad.soft_speech import SoftSpeechStream
from models.audio.windows.window_plan import PlannedWindow
from models.audio.windows.window_stream import SpeechStream, SpeechWindow, speech_windows
from models.options import VoiceOptions
from models.units import SAMPLE_RATE, VAD_FRAME
from tests.models.audio.whole import plan_windows, probabilities, speech_spans
from tests.speech_clips import Clip, clips

VOICE = VoiceOptions()


class Loudness(Silero):
    """Takes for the probability of speech how loud a frame is: cheap, and easy to aim at."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, frames: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        return frames[:, -VAD_FRAME:].abs().amax(dim=1).clamp(max=1), memory or (frames, frames)


def loud(probabilities: NDArray[np.float32], missing: int = 0) -> Samples:
    """Samples in which `Loudness` finds these probabilities; the last frame lacks some."""
    samples = np.repeat(probabilities, VAD_FRAME)
    return samples[: len(samples) - missing]


def whole(samples: Samples, detector: Silero, voice: VoiceOptions) -> list[PlannedWindow]:
    found = probabilities(SoftSpeechStream(detector), samples)
    spans = speech_spans(found, len(samples), voice)
    return plan_windows(spans, found, len(samples), voice.prefix_padding_ms)


def assert_as_planned(
    windows: list[SpeechWindow], samples: Samples, detector: Silero, voice: VoiceOptions
) -> None:
    assert [window.plan for window in windows] == whole(samples, detector, voice)
    for window in windows:
        expected = samples[window.plan.start : window.plan.end]
        np.testing.assert_array_equal(window.samples, expected)


@pytest.mark.parametrize("clip", clips(), ids=str)
def test_speech_windows_of_a_file_are_those_of_the_whole_plan(clip: Clip) -> None:
    detector = load_silero()

    windows = list(speech_windows(read(clip.path), detector, VOICE))

    assert_as_planned(windows, load(clip.path), detector, VOICE)


@st.composite
def recordings(draw: st.DrawFn) -> Samples:
    """Up to 3 minutes of speech and pauses of any length and any certainty."""
    seed, longest = draw(st.integers(0, 1000)), draw(st.sampled_from([20, 100, 1000, 4000]))
    rng = np.random.default_rng(seed)
    parts = [
        rng.random(int(rng.integers(1, longest)), np.float32) * rng.choice([0.2, 0.6, 1.0])
        + rng.choice([0.0, 0.4])
        for _ in range(draw(st.integers(1, 60)))
    ]
    probabilities = np.concatenate(parts).astype(np.float32)[: 180 * SAMPLE_RATE // VAD_FRAME]
    return loud(probabilities, draw(st.integers(0, VAD_FRAME - 1)))


@settings(max_examples=25)
@given(
    recordings(),
    st.sampled_from([0, 5, 300, 5000]),
    st.sampled_from([0, 200, 5000]),
    st.sampled_from([8 * VAD_FRAME, BLOCK]),
)
def test_speech_stream_any_recording_is_cut_as_the_whole_plan_says(
    samples: Samples, padding_ms: int, silence_ms: int, size: int
) -> None:
    voice = VoiceOptions(prefix_padding_ms=padding_ms, silence_duration_ms=silence_ms)
    stream = SpeechStream(Loudness(), voice)

    windows = [window for block in blocks([samples], size) for window in stream.feed(block)]
    windows += stream.finish()

    assert_as_planned(windows, samples, Loudness(), voice)


def endless(kind: str, seconds: int) -> Iterator[Samples]:
    """So much of one kind of sound, a block at a time."""
    rng = np.random.default_rng(0)
    frames = BLOCK // VAD_FRAME
    for number in range(seconds * SAMPLE_RATE // BLOCK):
        probabilities = np.full(frames, 0.9, np.float32)
        if kind == "silence":
            probabilities[:] = 0.1
        elif kind == "clicks":
            probabilities = np.where(np.arange(frames) % 20 == 0, 0.9, 0.1).astype(np.float32)
        elif kind == "like pauses":
            probabilities = np.where(np.arange(frames) % 64 < 10, 0.1, 0.9).astype(np.float32)
        elif kind == "murmur":
            probabilities = rng.random(frames, np.float32)
        elif kind == "near the threshold" and number:
            probabilities[:] = 0.4
        yield loud(probabilities)


@pytest.mark.parametrize(
    ("kind", "maximum"),
    [
        ("silence", 10),
        ("clicks", 10),
        ("speech without a pause", 60),
        ("near the threshold", 60),
        ("like pauses", 220),
        ("murmur", 220),
    ],
)
def test_speech_stream_three_hours_hold_no_more_than_minutes(kind: str, maximum: int) -> None:
    stream = SpeechStream(Loudness(), VOICE)
    blocks_held: set[int] = set()
    held = 0

    for number, block in enumerate(endless(kind, 3 * 3600)):
        blocks_held.add(number)
        weakref.finalize(block, blocks_held.remove, number)
        for window in stream.feed(block):
            assert len(window.samples) <= 30 * SAMPLE_RATE
        held = max(held, len(blocks_held))

    assert held * BLOCK <= maximum * SAMPLE_RATE


def test_speech_windows_come_before_the_recording_is_read() -> None:
    taken = 0

    def pieces() -> Iterator[Samples]:
        nonlocal taken
        for number in range(3600):
            taken += 1
            yield np.full(SAMPLE_RATE, 0.9 if number % 16 < 5 else 0.0, np.float32)

    first = next(speech_windows(pieces(), Loudness(), VOICE))

    assert first.plan.end <= 6 * SAMPLE_RATE
    assert taken <= 20
