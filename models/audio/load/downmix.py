"""Downmix of channels: none cancels another, silent and noisy ones are left out.

What is ordinary is left as it is, bit for bit. Each decision is for a block of about a second and
follows the energies of its channels and of their sums.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.audio.load.steadiness import are_unrelated, bands, steady_beside_lively

Block = NDArray[np.float32]
Matrix = NDArray[np.float32]

# Parts of a block that are looked at alone: a word may be cancelled where others are not.
_PARTS = 4
# The sum of two unrelated channels has their energies' sum. With a quarter of it, 6 dB less, they
# are the same sound in opposite polarity.
_CANCELLED = 0.25
# Of the loudest so far, in energy: what is softer is no evidence.
_FAINT = 1e-4
_FAINT_PAIR = 1e-3
# A channel is silent until it has come within 60 dB of the loudest.
_SILENT = 1e-6
# Of a channel in opposite polarity: inverted, it does not cancel what it has; at half its level it
# does not cancel what both have in the same polarity, either.
_INVERTED = -0.5
# Above that mean frequency, in Hz, a channel is none for low-frequency effects.
_EFFECTS = 250
_FADE_SECONDS = 0.02
# Blocks by which one is judged: two before it, itself, and the one behind it.
_NEAR = 4


@dataclass(frozen=True)
class _Evidence:
    """Of a block: the gain of each channel (None: nothing is cancelled), and which are audible.

    `is_flat`: the channel for effects is none. `bands`: as `steadiness.bands` gives them; None: no
    channel can be noise beside another's voice.
    """

    gains: NDArray[np.float32] | None
    audible: NDArray[np.bool_]
    is_flat: bool
    bands: NDArray[np.float32] | None


class Downmix:
    """The channels that a recording is mixed from, block by block.

    `weights` are those that the channels will be mixed with, [channels].
    """

    def __init__(self, weights: NDArray[np.float32], rate: int) -> None:
        self._weights, self._rate = weights, rate
        # The highest energies of a part so far, of the sound and of its differences.
        self._loudest = self._steepest = 0.0
        self._reference: int | None = None
        self._heard = np.zeros(len(weights), bool)
        self._noisy = np.zeros(len(weights), bool)
        self._is_flat = False
        self._before: Matrix | None = None
        self._is_first = True

    def mixed(self, given: Iterable[Block]) -> Iterator[Block | None]:
        """The replacement of each block, [samples, channels]; None: it stays.

        It comes one block behind what is read: a block is decided with both of its neighbours.
        """
        near = deque[_Evidence](maxlen=_NEAR)
        waiting: Block | None = None
        for block in given:
            with np.errstate(over="ignore", invalid="ignore"):  # samples of any value come in
                near.append(self._evidence(block))
            if waiting is not None:
                yield self._mixed(waiting, self._matrix(near[-2], near))
            waiting = block
        if waiting is not None:
            yield self._mixed(waiting, self._matrix(near[-1], near))

    def _evidence(self, block: Block) -> _Evidence:
        length = len(block) // _PARTS
        parts = block[: length * _PARTS].reshape(_PARTS, length, -1) if length else block[None]
        parts = parts - parts.mean(axis=1, keepdims=True)  # a constant is no sound
        products = _products(parts)
        energies = _energies(products).max(axis=0)
        self._loudest = max(self._loudest, float(energies.max()))
        self._heard |= energies > _SILENT * self._loudest
        self._is_flat |= self._is_voice_for_effects(block, energies)
        found = bands(block, self._rate) if are_unrelated(products.sum(axis=0)) else None
        # The differences hold little of a hum, which may be the same in channels whose voices
        # cancel each other.
        steep = _products(np.diff(parts, axis=1))
        self._steepest = max(self._steepest, float(_energies(steep).max()))
        gains = self._gains(products, self._loudest)
        gains = self._gains(steep, self._steepest) if gains is None else gains
        return _Evidence(gains, self._heard.copy(), self._is_flat, found)

    def _is_voice_for_effects(self, block: Block, energies: NDArray[np.float32]) -> bool:
        """True if a channel that will not be mixed at all has more than low frequencies."""
        left_out = (self._weights == 0) & (energies > _FAINT * self._loudest)
        if not left_out.any():
            return False
        sound = block[:, left_out]
        energy = np.square(sound).sum(axis=0)
        steep = np.square(np.diff(sound, axis=0)).sum(axis=0)
        return bool((steep > energy * (2 * np.pi * _EFFECTS / self._rate) ** 2).any())

    def _gains(self, products: NDArray[np.float32], loudest: float) -> NDArray[np.float32] | None:
        weighted = products * np.outer(self._weights, self._weights)
        energies = np.diagonal(weighted, axis1=1, axis2=2)
        totals = energies.sum(axis=1)
        pairs = energies[:, :, None] + energies[:, None, :]
        cancelled = pairs + 2 * weighted < _CANCELLED * pairs
        cancelled &= pairs > _FAINT_PAIR * totals[:, None, None]
        cancelled &= (totals > _FAINT * loudest * self._weights.max() ** 2)[:, None, None]
        chosen = cancelled.any(axis=(1, 2))
        if not chosen.any():
            return None
        return self._inverted(energies[chosen].sum(axis=0), cancelled[chosen].any(axis=0))

    def _inverted(
        self, energies: NDArray[np.float32], cancelled: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The loudest channel as it is, and each that a louder one cancels the other way up."""
        if self._reference is None or energies[self._reference] < energies.max() / 4:
            self._reference = int(energies.argmax())
        order = sorted(np.argsort(-energies), key=lambda channel: channel != self._reference)
        signs = np.ones(len(energies), np.float32)
        for place, channel in enumerate(order):
            for louder in order[:place]:
                if cancelled[channel, louder]:
                    signs[channel] = -signs[louder]
                    break
        return np.where(signs < 0, np.float32(_INVERTED), np.float32(1))

    def _matrix(self, evidence: _Evidence, near: Sequence[_Evidence]) -> Matrix | None:
        """The mixing matrix, `[channels, channels]`; None: the identity."""
        # a channel is there from the block before it is first audible
        audible, is_flat, gains = near[-1].audible, near[-1].is_flat, evidence.gains
        self._noisy = self._steady(evidence, near)
        sources = audible & ~self._noisy
        if not is_flat:
            sources &= self._weights > 0
        filled = ~sources if is_flat else ~sources & (self._weights > 0)
        if not sources.any() or (gains is None and not is_flat and not filled.any()):
            return None
        matrix = np.diag(np.ones(len(audible), np.float32) if gains is None else gains)
        filled |= is_flat
        share = np.where(sources, matrix.sum(axis=1), 0) / sources.sum()
        matrix[:, filled] = share[:, None]
        return matrix

    def _steady(self, evidence: _Evidence, near: Sequence[_Evidence]) -> NDArray[np.bool_]:
        if evidence.bands is None:
            return np.zeros_like(self._noisy)
        frames = [each.bands for each in near if each.bands is not None]
        return steady_beside_lively(np.concatenate(frames), self._noisy)

    def _mixed(self, block: Block, matrix: Matrix | None) -> Block | None:
        before = matrix if self._is_first else self._before
        self._before, self._is_first = matrix, False
        if before is None and matrix is None:
            return None
        mixed = block.copy() if matrix is None else block @ matrix
        if before is not matrix:
            faded = block[: round(_FADE_SECONDS * self._rate)]
            rise = np.linspace(0, 1, len(faded), dtype=np.float32)[:, None]
            old = faded if before is None else faded @ before
            mixed[: len(faded)] = old + rise * (mixed[: len(faded)] - old)
        return mixed


def _products(parts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each pair of channels, `[parts, channels, channels]`."""
    return parts.transpose(0, 2, 1) @ parts


def _energies(products: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each channel, `[parts, channels]`."""
    return np.diagonal(products, axis1=1, axis2=2)
