"""Voiced speech made again as whispering: linear prediction, with noise in place of the voice.

Makhoul, "Linear prediction: a tutorial review", Proceedings of the IEEE 63 (1975).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.audio.samples import Samples

Vector = NDArray[np.float64]

# Samples of a frame, 32 ms, and from one to the next; formants up to 8 kHz take some 20 poles.
_FRAME, _HOP, _ORDER = 512, 128, 20
# Added to a frame's energy, as a share of it: frames of one pure tone could not be solved.
_REGULARISATION = 1e-4


def whispered(samples: Samples, seed: int = 0) -> Samples:
    """The same words in a whisper, with the same peak; float32 mono at 16 kHz, as is `samples`."""
    rng = np.random.default_rng(seed)
    window = np.sin(np.pi * (np.arange(_FRAME) + 0.5) / _FRAME)
    padded = np.pad(samples.astype(np.float64), _FRAME)
    made = np.zeros_like(padded)
    for start in range(0, len(padded) - _FRAME + 1, _HOP):
        frame = padded[start : start + _FRAME] * window
        noise = rng.standard_normal(_FRAME) * window
        made[start : start + _FRAME] += _shaped(noise, frame) * window
    made = made[_FRAME : _FRAME + len(samples)]
    loudest = float(np.abs(made).max(initial=0.0))
    peak = float(np.abs(samples).max(initial=0.0))
    return (made * (peak / loudest if loudest else 0.0)).astype(np.float32)


def _shaped(noise: Vector, frame: Vector) -> Vector:
    """The noise with the frame's envelope of frequencies, and its energy."""
    energy = float(frame @ frame)
    if not energy:
        return np.zeros_like(frame)
    inverse = np.fft.rfft(_predictor(frame), 4 * _FRAME)
    shaped = np.fft.irfft(np.fft.rfft(noise, 4 * _FRAME) / inverse)[:_FRAME]
    return np.asarray(shaped * np.sqrt(energy / float(shaped @ shaped)))


def _predictor(frame: Vector) -> Vector:
    """The inverse filter, [order + 1], by the autocorrelation method."""
    spectrum = np.abs(np.fft.rfft(frame, 2 * _FRAME)) ** 2
    correlation = np.fft.irfft(spectrum)[: _ORDER + 1]
    correlation[0] *= 1 + _REGULARISATION
    distances = np.abs(np.subtract.outer(np.arange(_ORDER), np.arange(_ORDER)))
    weights = np.linalg.solve(correlation[distances], correlation[1:])
    return np.concatenate([[1.0], -weights])
