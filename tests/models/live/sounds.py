"""Sounds that are no speech, made here: what hums and beeps, noises, an organ."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

from models.audio.samples import Samples
from models.units import SAMPLE_RATE

# Of each sound; with another corpus they are ten minutes in all, twice over.
SECONDS = 30 if "WHISPER_SPEECH" in os.environ else 8
_TIME = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE


def tone(hertz: float) -> Samples:
    return _single(0.3 * np.sin(2 * np.pi * hertz * _TIME))


def hum() -> Samples:
    """Of the mains, with its overtones."""
    return _mixed([tone(50 * number) / number for number in range(1, 8)])


def beeps() -> Samples:
    return _single(tone(1000) * (_TIME % 1 < 0.3))


def dialling() -> Samples:
    """Pairs of tones, as telephones have them."""
    keys = [(697, 1209), (770, 1336), (852, 1477), (941, 1633)]
    return _in_turn([tone(low) + tone(high) for low, high in keys], 0.25)


def sweep() -> Samples:
    """A siren, from 300 to 1500 Hz and back."""
    phase = np.cumsum(900 - 600 * np.cos(np.pi * _TIME)) / SAMPLE_RATE
    return _single(0.3 * np.sin(2 * np.pi * phase))


def noise(exponent: float) -> Samples:
    """White (0), pink (1) or brown (2)."""
    spectrum = np.fft.rfft(np.random.default_rng(35).normal(size=len(_TIME)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** (exponent / 2)
    samples = np.fft.irfft(spectrum, len(_TIME))
    return _single(0.1 * samples / samples.std())


def clicks() -> Samples:
    """Of a keyboard, a few in a second."""
    are_heard = np.random.default_rng(36).random(len(_TIME) // 800).repeat(800) < 0.05
    return _single(noise(0) * are_heard)


def chords() -> Samples:
    """Of an organ, two seconds each."""
    roots = [220.0, 174.6, 261.6, 196.0]
    notes = [(ratio, overtone) for ratio in (1, 1.25, 1.5) for overtone in (1, 2, 3)]
    return _in_turn([_mixed([tone(root * a * b) / b / 8 for a, b in notes]) for root in roots], 2.0)


TONES: dict[str, Callable[[], Samples]] = {
    "100 Hz": lambda: tone(100),
    "440 Hz": lambda: tone(440),
    "1 kHz": lambda: tone(1000),
    "3 kHz": lambda: tone(3000),
    "hum": hum,
    "beeps": beeps,
    "dialling": dialling,
    "sweep": sweep,
}
NOISES: dict[str, Callable[[], Samples]] = {
    "white": lambda: noise(0),
    "pink": lambda: noise(1),
    "brown": lambda: noise(2),
    "clicks": clicks,
    "chords": chords,
    "digital silence": lambda: _single(0 * _TIME),
}


def _in_turn(sounds: Sequence[np.ndarray], seconds: float) -> Samples:
    """One after the other, so long each, from the first again behind the last."""
    whose = (_TIME / seconds).astype(int) % len(sounds)
    return _mixed([sound * (whose == number) for number, sound in enumerate(sounds)])


def _mixed(sounds: Sequence[np.ndarray]) -> Samples:
    return _single(np.sum(sounds, axis=0))


def _single(samples: np.ndarray) -> Samples:
    return samples.astype(np.float32)
