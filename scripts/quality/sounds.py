"""Sounds without speech, made here: noise, hums, tones, clicks, and what a room has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.audio.samples import Samples
from models.units import SAMPLE_RATE

Signal = NDArray[np.float64]
Maker = Callable[[np.random.Generator, Signal], Signal]

# Long enough for a window that is half padding, and one that is nearly none.
_SECONDS = (6.0, 28.0)


def sounds() -> dict[str, Samples]:
    """Each sound by its name, with a peak of 1; float32 mono at 16 kHz, the same at every call."""
    return {
        f"{name}, {seconds:g} s": _made(make, seconds)
        for name, make in _MAKERS.items()
        for seconds in _SECONDS
    }


def _made(make: Maker, seconds: float) -> Samples:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    made = make(np.random.default_rng(len(times)), times)
    return np.asarray(made / np.abs(made).max(), np.float32)


def _noise(slope: float) -> Maker:
    """Noise whose amplitude falls with the frequency to the power of the slope."""

    def make(rng: np.random.Generator, times: Signal) -> Signal:
        spectrum = np.fft.rfft(rng.standard_normal(len(times)))
        spectrum /= np.maximum(1, np.arange(len(spectrum))) ** slope
        return np.asarray(np.fft.irfft(spectrum, len(times)))

    return make


def _harmonics(pitch: float) -> Maker:
    def make(rng: np.random.Generator, times: Signal) -> Signal:
        waves = [np.sin(2 * np.pi * pitch * n * times + rng.random()) / n for n in range(1, 7)]
        return np.asarray(np.sum(waves, axis=0))

    return make


def _modulated(rate: float, slope: float) -> Maker:
    """Noise that comes and goes, at the pace of wind or of syllables."""

    def make(rng: np.random.Generator, times: Signal) -> Signal:
        return np.asarray(_noise(slope)(rng, times) * (1 + np.sin(2 * np.pi * rate * times)))

    return make


def _knocks(rate: float, decay: float) -> Maker:
    """Bursts of noise at random, so many a second: keys, steps, a crackling record."""

    def make(rng: np.random.Generator, times: Signal) -> Signal:
        starts = (rng.random(len(times)) < rate / SAMPLE_RATE).astype(np.float64)
        starts[len(times) // 2] = 1
        fall = np.exp(-np.arange(round(5 * decay * SAMPLE_RATE)) / (decay * SAMPLE_RATE))
        return np.asarray(np.convolve(starts, fall)[: len(times)] * rng.standard_normal(len(times)))

    return make


def _melody(rng: np.random.Generator, times: Signal) -> Signal:
    """Plucked notes, two a second."""
    pitches = 220 * 2 ** (rng.integers(0, 13, len(times)) / 12)
    note, since = np.divmod(times, 0.5)
    pitch = pitches[note.astype(int)]
    waves = [np.sin(2 * np.pi * pitch * n * since) / n**2 for n in range(1, 6)]
    return np.asarray(np.sum(waves, axis=0) * np.exp(-4 * since))


def _ringing(rng: np.random.Generator, times: Signal) -> Signal:
    """A telephone's two tones, one second of three."""
    tones = np.sin(2 * np.pi * 440 * times) + np.sin(2 * np.pi * 480 * times)
    return np.asarray(tones * (times % 3 < 1))


def _siren(rng: np.random.Generator, times: Signal) -> Signal:
    pitch = 700 + 300 * np.sin(np.pi * times)
    return np.asarray(np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE))


def _room(rng: np.random.Generator, times: Signal) -> Signal:
    """A fan, the mains, and a knock now and then."""
    fan, mains = _noise(0.8)(rng, times), _harmonics(50)(rng, times)
    knocks = _knocks(0.5, 0.02)(rng, times)
    parts = (fan, mains * 0.2, knocks * 0.5)
    return np.asarray(sum(part / np.abs(part).max() for part in parts))


_MAKERS: dict[str, Maker] = {
    "white noise": _noise(0),
    "pink noise": _noise(0.5),
    "brown noise": _noise(1),
    "wind": _modulated(0.3, 1),
    "noise at the pace of syllables": _modulated(4, 0.5),
    "hum of 50 Hz": _harmonics(50),
    "hum of 120 Hz": _harmonics(120),
    "tone of 1 kHz": _harmonics(1000),
    "clicks": _knocks(4, 0.001),
    "keys": _knocks(5, 0.01),
    "steps": _knocks(1.5, 0.06),
    "melody": _melody,
    "ringing": _ringing,
    "siren": _siren,
    "room": _room,
}
