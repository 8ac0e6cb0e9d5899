"""Channels made ready to be mixed: none cancels another, and silent ones take nothing away.

What is ordinary is left as it is, bit for bit. Each decision is for a block of about a second and
follows the energies of its channels and of their sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class _Evidence:
    """Of a block: the gain of each channel (None: nothing is cancelled), and which are heard."""

    gains: NDArray[np.float32] | None
    heard: NDArray[np.bool_]
    is_flat: bool


class Downmix:
    """What the channels of a recording are to be mixed from, block by block.

    `weights` are those that the channels will be mixed with, [channels].
    """

    def __init__(self, weights: NDArray[np.float32], rate: int) -> None:
        self._weights, self._rate = weights, rate
        self._loudest = 0.0
        self._reference = 0
        self._heard = np.zeros(len(weights), bool)
        self._is_flat = False
        self._before: Matrix | None = None
        self._is_first = True

    def mixed(self, given: Iterable[Block]) -> Iterator[Block | None]:
        """What each block, [samples, channels], is to be replaced by; None: it stays.

        It comes one block behind what is read: a block is decided with both of its neighbours.
        """
        held: list[tuple[Block, _Evidence]] = []
        last: _Evidence | None = None
        for block in given:
            held.append((block, self._evidence(block)))
            if len(held) == 2:
                first, evidence = held.pop(0)
                yield self._mixed(first, self._matrix(evidence, last, held[0][1]))
                last = evidence
        for block, evidence in held:
            yield self._mixed(block, self._matrix(evidence, last, None))

    def _evidence(self, block: Block) -> _Evidence:
        length = len(block) // _PARTS
        parts = block[: length * _PARTS].reshape(_PARTS, length, -1) if length else block[None]
        products = parts.transpose(0, 2, 1) @ parts  # [parts, channels, channels]
        energies = np.diagonal(products, axis1=1, axis2=2).max(axis=0)
        self._loudest = max(self._loudest, float(energies.max()))
        self._heard |= energies > _SILENT * self._loudest
        self._is_flat |= self._is_voice_for_effects(block, energies)
        return _Evidence(self._gains(products), self._heard.copy(), self._is_flat)

    def _is_voice_for_effects(self, block: Block, energies: NDArray[np.float32]) -> bool:
        """Whether a channel that will not be mixed at all has more than low frequencies."""
        left_out = (self._weights == 0) & (energies > _FAINT * self._loudest)
        if not left_out.any():
            return False
        sound = block[:, left_out]
        energy = np.square(sound).sum(axis=0)
        steep = np.square(np.diff(sound, axis=0)).sum(axis=0)
        return bool((steep > energy * (2 * np.pi * _EFFECTS / self._rate) ** 2).any())

    def _gains(self, products: NDArray[np.float32]) -> NDArray[np.float32] | None:
        weighted = products * np.outer(self._weights, self._weights)
        energies = np.diagonal(weighted, axis1=1, axis2=2)
        totals = energies.sum(axis=1)
        pairs = energies[:, :, None] + energies[:, None, :]
        cancelled = pairs + 2 * weighted < _CANCELLED * pairs
        cancelled &= pairs > _FAINT_PAIR * totals[:, None, None]
        cancelled &= (totals > _FAINT * self._loudest * self._weights.max() ** 2)[:, None, None]
        chosen = cancelled.any(axis=(1, 2))
        if not chosen.any():
            return None
        return self._inverted(energies[chosen].sum(axis=0), cancelled[chosen].any(axis=0))

    def _inverted(
        self, energies: NDArray[np.float32], cancelled: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The loudest channel as it is, and each that a louder one cancels the other way up."""
        if energies[self._reference] < energies.max() / 4:
            self._reference = int(energies.argmax())
        order = sorted(np.argsort(-energies), key=lambda channel: channel != self._reference)
        signs = np.ones(len(energies), np.float32)
        for place, channel in enumerate(order):
            for louder in order[:place]:
                if cancelled[channel, louder]:
                    signs[channel] = -signs[louder]
                    break
        return np.where(signs < 0, np.float32(_INVERTED), np.float32(1))

    def _matrix(
        self, own: _Evidence, last: _Evidence | None, following: _Evidence | None
    ) -> Matrix | None:
        """What each channel is made of, `[channels, channels]`; None: of itself."""
        near = [each for each in (own, last, following) if each]
        gains = next((each.gains for each in near if each.gains is not None), None)
        heard = own.heard | following.heard if following else own.heard
        is_flat = any(each.is_flat for each in near)
        if gains is None and not is_flat and (heard | (self._weights == 0)).all():
            return None
        if not heard.any():
            return None
        matrix = np.diag(np.ones(len(heard), np.float32) if gains is None else gains)
        sources = heard if is_flat else heard & (self._weights > 0)
        filled = ~heard | is_flat
        if sources.any():
            matrix[:, filled] = np.where(sources, matrix.sum(axis=1), 0)[:, None] / sources.sum()
        return matrix

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
