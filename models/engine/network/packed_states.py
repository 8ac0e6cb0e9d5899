"""Encoder states of windows, packed in int8: what weight absorption reads instead of cross-KV."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.checkpoints.catalogue import Dimensions
from models.engine.network.linear import SYMMETRIC, InputRange, PackedInt8
from models.engine.network.sparse_padding import EncoderPositions

# A head's largest weight gets the largest byte, nothing is below 0.
_WEIGHTS = InputRange(255, 0, signed=False)


class PackedEncoderStates:
    """A window's states, [positions, n_audio_state], packed to be scored and to be mixed."""

    def __init__(self, states: Tensor, positions: EncoderPositions) -> None:
        self._scoring = PackedInt8(states, SYMMETRIC)
        self._mixing = PackedInt8(states.T.contiguous(), _WEIGHTS)
        log_weight = positions.log_weight
        self._log_weight = states.new_zeros(()) if log_weight is None else log_weight

    def score(self, queries: Tensor, size: Tensor) -> Tensor:
        """The scores, [..., positions], of queries [..., n_audio_state] given over their size.

        `size` is [..., 1].
        """
        scores = self._scoring.multiply(queries)
        return torch.addcmul(self._log_weight, scores, size, out=scores)

    def mix(self, scores: Tensor) -> Tensor:
        """States weighted by the softmax of scores, [..., positions] -> [..., n_audio_state]."""
        weights = scores.softmax(-1)
        largest = weights.amax(-1, keepdim=True)
        return self._mixing.multiply(weights.div_(largest)).mul_(largest)


class PackedStatesCache:
    """The packed states of each slot's window; `nbytes` is what they take in all slots."""

    def __init__(self, dims: Dimensions, slots: int) -> None:
        # Packed twice, in a byte each.
        self.nbytes = 2 * slots * dims.n_audio_ctx * dims.n_audio_state
        self._windows: list[PackedEncoderStates | None] = [None] * slots

    def write(self, slots: Sequence[int], positions: EncoderPositions, states: Tensor) -> None:
        """Pack and store the states of windows, [batch, positions, n_audio_state]."""
        for row, slot in enumerate(slots):
            self._windows[slot] = PackedEncoderStates(states[row], positions)

    def copy(self, source: int, target: int) -> None:
        """Store the window of one slot in another as well."""
        self._windows[target] = self._windows[source]

    def read(self, slots: Sequence[int] | Tensor) -> list[PackedEncoderStates]:
        """The windows of a batch's slots, [batch]."""
        return [window for slot in slots if (window := self._windows[int(slot)])]
