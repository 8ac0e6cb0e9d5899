"""Pauses in a window, by its level."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.audio.mel import LogMel
from models.audio.samples import Samples
from models.audio.windows.pauses import Span, pauses

RATE = 16_000


def noise(seconds: float, decibels: float, seed: int = 0) -> Samples:
    """White noise so far below full scale."""
    found = np.random.default_rng(seed).normal(0, 10 ** (decibels / 20), round(seconds * RATE))
    return found.astype(np.float32)


def found_in(samples: Samples) -> list[Span]:
    return pauses(LogMel(samples, 80).window(0), len(samples) // 160)


def near(span: Span) -> object:
    """A frame sees 25 ms, so an edge is known to about two frames."""
    return pytest.approx(span, abs=0.025)


SPEECH, PAUSE = noise(1.0, -20, 1), noise(0.5, -70, 2)


def test_pause_between_sounds_is_found() -> None:
    (only,) = found_in(np.concatenate([SPEECH, PAUSE, SPEECH]))
    assert only == near((1.0, 1.5))


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
def test_pause_is_one_at_any_level(gain: float) -> None:
    (only,) = found_in(np.concatenate([SPEECH, PAUSE, SPEECH]) * np.float32(gain))
    assert only == near((1.0, 1.5))


def test_pauses_around_all_sound_are_found() -> None:
    first, last = found_in(np.concatenate([PAUSE, SPEECH, PAUSE]))
    assert first == near((0.0, 0.5))
    assert last == near((1.5, 2.0))


def test_pause_of_pure_silence_is_found() -> None:
    silence = np.zeros(RATE // 2, np.float32)
    (only,) = found_in(np.concatenate([SPEECH, silence, SPEECH]))
    assert only == near((1.0, 1.5))


def test_little_speech_in_a_long_window_has_its_pauses() -> None:
    parts = [noise(14.0, -70, 3), noise(0.3, -20, 4), PAUSE, noise(0.3, -20, 5), noise(14.0, -70)]
    _, between, _ = found_in(np.concatenate(parts))
    assert between == near((14.3, 14.8))


def test_closed_consonant_is_no_pause() -> None:
    assert found_in(np.concatenate([SPEECH, noise(0.08, -70), SPEECH])) == []


@pytest.mark.parametrize("level", [-20.0, -90.0])
def test_even_sound_has_no_pauses(level: float) -> None:
    assert found_in(noise(3.0, level)) == []


def test_silence_alone_has_none() -> None:
    assert found_in(np.zeros(2 * RATE, np.float32)) == []


def test_too_short_a_window_has_none() -> None:
    assert pauses(torch.zeros(80, 3000), 3) == []
    assert pauses(torch.zeros(80, 3000), 0) == []


def test_samples_are_as_good_as_their_log_mel() -> None:
    samples = np.concatenate([SPEECH, PAUSE, SPEECH])
    assert pauses(torch.from_numpy(samples), len(samples) // 160) == found_in(samples)
