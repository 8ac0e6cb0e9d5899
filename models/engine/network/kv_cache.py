"""The static KV cache: one slot for each running sequence, allocated once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from models.checkpoints.catalogue import Dimensions
from models.engine.network.absorbed_attention import PackedEncoderStates
from models.engine.network.sparse_padding import EncoderPositions

# Positions of the text that are read together; those of every Whisper are a multiple.
_BLOCK = 32


@dataclass(frozen=True)
class SlotIndex:
    """Which slots a batch uses and where in them its tokens stand.

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


@dataclass(frozen=True)
class CrossRun:
    """Rows of a batch that read their windows together: neighbouring slots of one length.

    `rows` says which of the batch, `k` and `v` are [rows, head, kept, head_dim] views.
    """

    rows: slice
    k: Tensor
    v: Tensor
    log_weight: Tensor | None


class KVCache:
    """Keys and values over text (self) and audio (cross) for every layer and slot.

    `state` is the format of those over text: short, and read fastest as it is. `attention` is
    that of those over audio, which are most of what a decode step reads; None where the states
    of a window take their place (absorbed.py). `nbytes` is what it holds when all slots are taken.
    `states`, [slot, position, n_audio_state], has no slots unless `enable_states` has been called.
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
        head_dim = dims.n_text_state // dims.n_text_head
        shape = (dims.n_text_layer, 2, slots, dims.n_text_head)
        # [layer, key/value, slot, head, position, head_dim]
        self.text = torch.zeros(*shape, dims.n_text_ctx, head_dim, device=device, dtype=state)
        n_audio_ctx = dims.n_audio_ctx if attention else 0
        self.audio = torch.zeros(*shape, n_audio_ctx, head_dim, device=device, dtype=attention)
        # Where there are no keys and values of windows: their states, packed twice (absorbed.py).
        states = 0 if attention else 2 * slots * dims.n_audio_ctx * dims.n_audio_state
        self.nbytes = self.text.nbytes + self.audio.nbytes + states
        self.states = self.audio.new_zeros(0, dims.n_audio_ctx, dims.n_audio_state)
        self._kept: list[EncoderPositions | None] = [None] * slots
        self._heard: list[PackedEncoderStates | None] = [None] * slots

    def write_cross(self, layers: slice, slots: Tensor, kv: Tensor) -> None:
        """Store keys and values over audio, [batch, kept, layer, 2, head, head_dim]."""
        by_layer = kv.permute(2, 3, 0, 4, 1, 5)
        self.audio[layers, :, :, :, : kv.shape[1]].index_copy_(2, slots, by_layer)

    def enable_states(self) -> None:
        """From now on store the states of windows as well, for kernels that read them."""
        self.states = self.states.new_zeros(self.audio.shape[2], *self.states.shape[1:])
        self.nbytes += self.states.nbytes

    def write_states(self, slots: Tensor, states: Tensor) -> None:
        """Store the states of windows, [batch, n_audio_ctx, n_audio_state], if they are kept."""
        if len(self.states):
            self.states.index_copy_(0, slots, states)

    def store_positions(self, slots: Sequence[int], kept: EncoderPositions) -> None:
        """Note which positions of their windows the slots hold."""
        for slot in slots:
            self._kept[slot] = kept

    def store_states(self, slots: Sequence[int], kept: EncoderPositions, states: Tensor) -> None:
        """Store the states of windows, [batch, kept, n_audio_state]."""
        for row, slot in enumerate(slots):
            self._heard[slot] = PackedEncoderStates(states[row], kept)

    def copy_window(self, source: int, target: int) -> None:
        """Store the window of one slot in another as well."""
        self._heard[target], self._kept[target] = self._heard[source], self._kept[source]
        self.audio[:, :, target] = self.audio[:, :, source]

    def states_of(self, slots: Sequence[int] | Tensor) -> list[PackedEncoderStates]:
        """The windows that were stored by `hear`, for each of a batch's slots."""
        return [window for slot in slots if (window := self._heard[int(slot)])]

    def write_self(self, layer: int, rows: SlotIndex, kv: Tensor) -> None:
        """Store keys and values, [batch, ctx, 2, head, head_dim], at the rows' positions."""
        self.text[layer][:, rows.slots[:, None], :, rows.positions] = kv

    def read_self(self, layer: int, rows: SlotIndex) -> tuple[Tensor, Tensor]:
        """Keys and values over the text, [batch, head, length, head_dim] each."""
        kv = self.text[layer][:, rows.index, :, : rows.length]
        return kv[0], kv[1]

    def read_cross(self, layer: int, slots: Sequence[int] | Tensor) -> Iterator[CrossRun]:
        """Keys and values over the windows, as few views as the slots allow and no copy.

        Of slots that only the device knows it is a copy, and their windows are whole.
        """
        if isinstance(slots, Tensor):
            k, v = self.audio[layer][:, slots]
            yield CrossRun(slice(0, len(slots)), k, v, None)
            return

        def run(row_and_slot: tuple[int, int]) -> tuple[int, EncoderPositions | None]:
            row, slot = row_and_slot
            kept = self._kept[slot]
            # Neighbours differ by as much in slot as in row.
            return slot - row, kept if kept and kept.log_weight is not None else None

        for (offset, kept), found in groupby(enumerate(slots), run):
            first, *rest = (row for row, _ in found)
            end = first + 1 + len(rest)
            positions = self.audio.shape[4] if kept is None else kept.size
            kv = self.audio[layer][:, first + offset : end + offset, :, :positions]
            weight = None if kept is None else kept.log_weight
            yield CrossRun(slice(first, end), kv[0], kv[1], weight)
