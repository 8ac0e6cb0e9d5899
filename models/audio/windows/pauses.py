"""Pauses in a window: stretches far below the level of its speech."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.audio.mel import LogMel
from models.units import FRAMES_PER_SECOND

Levels = NDArray[np.float64]
# Start and end in seconds.
Span = tuple[float, float]

# Of a closed consonant the sound stops for less; in frames.
_SHORTEST = 10
# Decibels below the loudest frames: one in twenty, at most half a second of them.
_DEPTH = 30.0
_SHARE, _MAX = 20, 50
# Noise that hides the weakest sounds lies nearer to the speech: of the way there from the weakest
# frames, one in twenty, what is still a pause.
_ABOVE_NOISE = 0.1
_N_MELS = 80


def pauses(audio: Tensor, frames: int) -> list[Span]:
    """The pauses in the first `frames` of a window, in seconds from its start.

    `audio` is log-mel, [n_mels, 3000], or samples, [samples].
    """
    if audio.dim() == 1:
        audio = LogMel(audio.float().cpu().numpy(), _N_MELS).window(0)
    level = _decibels(audio[:, :frames].float().cpu())
    if len(level) < _SHORTEST:
        return []
    ordered, few = np.sort(level), len(level) // _SHARE
    weakest, loudest = ordered[few], ordered[-1 - min(few, _MAX)]
    limit = max(loudest - _DEPTH, weakest + _ABOVE_NOISE * (loudest - weakest))
    is_quiet = np.pad((level < limit).astype(np.int8), 1)
    edges = np.flatnonzero(np.diff(is_quiet))
    return [
        (float(first) / FRAMES_PER_SECOND, float(after) / FRAMES_PER_SECOND)
        for first, after in zip(edges[::2], edges[1::2], strict=True)
        if after - first >= _SHORTEST
    ]


def _decibels(mel: Tensor) -> Levels:
    """The power of each frame; log-mel is powers of ten, scaled (whisper/audio.py)."""
    power = ((4.0 * mel - 4.0) * log(10.0)).exp_().sum(0)
    decibels: Levels = 10.0 * np.log10(power.double().numpy())
    return decibels
