"""Steady noise beside a voice: channels whose level changes in no band, as speech's does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

# numpy loads both at their first use (`quantile` the second): too late in a sandbox.
import numpy.ma
from numpy import fft
from numpy.typing import NDArray

# Where speech is, in Hz. A voice shows in the band where it is loudest against the noise.
_BANDS = (100, 300, 600, 1200, 2400, 4000)
_FRAME_SECONDS = 0.064
_ENOUGH = 10_000
# For the percentiles to mean something: nearly two seconds.
_MIN_FRAMES = 28
# Of a band's level, from its 5th to its 95th percentile, in dB: white and pink noise and hum have
# 3.9 to 6.4 over three seconds. Clean speech has 13.9 and more in its widest band, and speech as
# loud as the noise under it 9.3.
_STEADY, _STILL_STEADY, _LIVELY = 6.5, 8.0, 12.0
# A channel so much softer than the voice, in energy, does no harm.
_HARMLESS = 0.01
# Of the product of their energies: channels with more in common are no noise and voice apart.
_RELATED = 0.25


def are_unrelated(products: NDArray[np.float32]) -> bool:
    """True if two of the channels have little in common, and neither is empty.

    `products` are the sums of each two channels' products in a block, `[channels, channels]`.
    """
    energies = np.diagonal(products)
    return bool((np.square(products) < _RELATED * np.outer(energies, energies)).any())


def bands(block: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The energies of the bands in each frame of a block, `[frames, bands, channels]`."""
    # the bands end at 4 kHz: means of a few samples will do, and cost a fraction
    step = max(1, rate // _ENOUGH)
    block = block[: len(block) // step * step].reshape(-1, step, block.shape[1]).mean(axis=1)
    size = round(_FRAME_SECONDS * rate / step)
    count = len(block) // size
    frames = block[: count * size].reshape(count, size, block.shape[1])
    window = np.hanning(size).astype(np.float32)[:, None]
    powers = np.square(np.abs(fft.rfft(frames * window, axis=1)))
    edges = [round(edge * _FRAME_SECONDS) for edge in _BANDS]
    parts = [powers[:, start:end].sum(axis=1) for start, end in pairwise(edges)]
    return np.stack(parts, axis=1).astype(np.float32)


def steady_beside_lively(
    frames: NDArray[np.float32], was_steady: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The mask of channels with steady noise that spoils another one, [channels].

    `frames` are the bands of some blocks. A channel that `was_steady` and is so still remains so
    when the others pause.
    """
    if len(frames) < _MIN_FRAMES:
        return np.zeros_like(was_steady)
    levels = 10 * np.log10(frames + np.float32(1e-9))
    low, high = np.percentile(levels, (5, 95), axis=0)
    spread, energies = (high - low).max(axis=0), frames.sum(axis=(0, 1))
    steady = spread < np.where(was_steady, _STILL_STEADY, _STEADY)
    lively = spread > _LIVELY
    voice = energies[lively].max(initial=0)
    spoils = (energies > _HARMLESS * voice) & (voice > 0)
    return np.asarray(steady & (spoils | was_steady), bool)
