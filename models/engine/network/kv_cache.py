"""Static KV cache in slots: one for each running sequence, all allocated once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.checkpoints.catalogue import Dimensions
from models.engine.network.cross_kv import CrossKV
from models.engine.network.packed_states import PackedStatesCache

# Positions of the text that are read together; those of every Whisper are a multiple.
_BLOCK = 32


@dataclass(frozen=True)
class SlotIndex:
    """Batch-to-slot index: which slots a batch uses, and where in them its tokens stand.

    `slots` is [batch], `positions` [batch, ctx], `mask` [batch, 1, ctx, length]: a token sees
    the positions up to its own. `index` is a slice where the slots are neighbours, so that
    reading is a view and not a copy. `numbers` are the slots again, as far as the host knows them.
    """

    numbers: Sequence[int] | Tensor
    slots: Tensor
    positions: Tensor
    mask: Tensor
    length: int
    index: slice | Tensor

    @classmethod
    def at(
        cls, slots: Sequence[int], positions: Sequence[Sequence[int]], device: torch.device
    ) -> SlotIndex:
        """Rows for these slots, with each row's positions."""
        where = torch.tensor(positions, device=device)
        index = torch.tensor(slots, device=device)
        # In whole blocks: sums over other lengths are added up in another order.
        length = -(-(max(row[-1] for row in positions) + 1) // _BLOCK) * _BLOCK
        mask = torch.arange(length, device=device) <= where[:, None, :, None]
        neighbours = list(slots) == list(range(slots[0], slots[0] + len(slots)))
        view = slice(slots[0], slots[0] + len(slots)) if neighbours else index
        return cls(tuple(slots), index, where, mask, length, view)


class SelfKV:
    """Self-KV, over text: `kv` is [layer, key/value, slot, head, n_text_ctx, head_dim]."""

    def __init__(
        self, dims: Dimensions, slots: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        head_dim = dims.n_text_state // dims.n_text_head
        shape = (dims.n_text_layer, 2, slots, dims.n_text_head, dims.n_text_ctx, head_dim)
        self.kv = torch.zeros(shape, device=device, dtype=dtype)

    @property
    def n_ctx(self) -> int:
        """Maximum number of positions of a text."""
        return self.kv.shape[4]

    def write(self, layer: int, rows: SlotIndex, kv: Tensor) -> None:
        """Store keys and values, [batch, ctx, 2, head, head_dim], at the rows' positions."""
        self.kv[layer][:, rows.slots[:, None], :, rows.positions] = kv

    def read(self, layer: int, rows: SlotIndex) -> tuple[Tensor, Tensor]:
        """Keys and values so far, [batch, head, length, head_dim] each."""
        kv = self.kv[layer][:, rows.index, :, : rows.length]
        return kv[0], kv[1]


class KVCache:
    """Each slot's text and window: `text` is self-KV, `window` cross-KV or packed encoder states.

    `state` is the format of self-KV: short, and read fastest as it is. `attention` is that of
    cross-KV; None where the states of a window take their place (absorbed_attention.py).
    """

    def __init__(
        self,
        dims: Dimensions,
        slots: int,
        device: torch.device,
        *,
        state: torch.dtype,
        attention: torch.dtype | None,
    ) -> None:
        self.text = SelfKV(dims, slots, device, state)
        self.window: CrossKV | PackedStatesCache = (
            CrossKV(dims, slots, device, attention) if attention else PackedStatesCache(dims, slots)
        )

    @property
    def nbytes(self) -> int:
        """Bytes that it holds when all slots are taken."""
        return self.text.kv.nbytes + self.window.nbytes

    @property
    def cross(self) -> CrossKV:
        """The windows of a cache that was made for cross-KV."""
        assert isinstance(self.window, CrossKV)
        return self.window
