"""Cross-KV: keys and values over audio, for every layer and slot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from models.checkpoints.catalogue import Dimensions
from models.engine.network.sparse_padding import EncoderPositions


@dataclass(frozen=True)
class CrossRun:
    """Rows of a batch that read their windows together: neighbouring slots of one length.

    `rows` says which of the batch, `k` and `v` are [rows, head, positions, head_dim] views.
    `log_weight` is [positions]: see `EncoderPositions`.
    """

    rows: slice
    k: Tensor
    v: Tensor
    log_weight: Tensor | None


class CrossKV:
    """`kv` is [layer, key/value, slot, head, n_audio_ctx, head_dim], most of what a step reads."""

    def __init__(
        self, dims: Dimensions, slots: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        head_dim = dims.n_text_state // dims.n_text_head
        shape = (dims.n_text_layer, 2, slots, dims.n_text_head, dims.n_audio_ctx, head_dim)
        self.kv = torch.zeros(shape, device=device, dtype=dtype)
        self._positions: list[EncoderPositions | None] = [None] * slots

    @property
    def nbytes(self) -> int:
        """Bytes of all slots."""
        return self.kv.nbytes

    def write(self, layers: slice, slots: Tensor, kv: Tensor) -> None:
        """Store keys and values, [batch, positions, layer, 2, head, head_dim], in slots [batch]."""
        by_layer = kv.permute(2, 3, 0, 4, 1, 5)
        self.kv[layers, :, :, :, : kv.shape[1]].index_copy_(2, slots, by_layer)

    def write_positions(self, slots: Sequence[int], positions: EncoderPositions) -> None:
        """Note which positions of their windows the slots hold; all of them unless it is noted."""
        for slot in slots:
            self._positions[slot] = positions

    def copy(self, source: int, target: int) -> None:
        """Store the window of one slot in another as well."""
        self._positions[target] = self._positions[source]
        self.kv[:, :, target] = self.kv[:, :, source]

    def read(self, layer: int, slots: Sequence[int] | Tensor) -> Iterator[CrossRun]:
        """The windows of a batch's slots, as few views as these allow and no copy.

        Of slots that only the device knows, [batch], it is a copy, and their windows are whole.
        """
        if isinstance(slots, Tensor):
            k, v = self.kv[layer][:, slots]
            yield CrossRun(slice(0, len(slots)), k, v, None)
            return

        def run(row_and_slot: tuple[int, int]) -> tuple[int, EncoderPositions | None]:
            row, slot = row_and_slot
            positions = self._positions[slot]
            # Neighbours differ by as much in slot as in row.
            return slot - row, positions if positions and positions.log_weight is not None else None

        for (offset, positions), numbered in groupby(enumerate(slots), run):
            first, *rest = (row for row, _ in numbered)
            end = first + 1 + len(rest)
            size = self.kv.shape[4] if positions is None else positions.size
            k, v = self.kv[layer][:, first + offset : end + offset, :, :size]
            weight = None if positions is None else positions.log_weight
            yield CrossRun(slice(first, end), k, v, weight)
