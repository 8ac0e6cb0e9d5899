"""Per-slot decode state on the device, which advances there from step to step."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import TimestampState, follows_timestamp, last_timestamp
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.static_step.pinned_memory import pinned_copy


class DecodeState:
    """One row for each slot, so that a batch is a view: the first so many.

    `tokens` are the last ones and `positions` where they stand; `pairs` is 1 if there was a
    timestamp before, else 0; `stamps` is the last timestamp. Draws depend on `temperatures`,
    float32, and on seeds that are by `offsets` more than the positions. [slots] each, int64 but for
    the temperatures.
    """

    def __init__(self, vocabulary: Vocabulary, slots: int, device: torch.device) -> None:
        self._begin, self._eot = vocabulary.timestamp_begin, vocabulary.eot
        # The position of an idle row: a live one is over before it reads there what another step
        # has written.
        self.idle_position = vocabulary.dims.n_text_ctx - 1
        self._fields = self._idle(slots).to(device, copy=True)
        self.tokens, self.positions, self.pairs, self.stamps, self.offsets = self._fields
        self.temperatures = torch.zeros(slots, device=device)
        self._staged = pinned_copy(self._fields, device)
        self._staged_temperatures = pinned_copy(self.temperatures, device)

    def load(self, sequences: Seq[Sequence], batch: int) -> None:
        """Copy the state of sequences to their slots; every other row of the batch is idle."""
        self._staged[:, :batch] = self._idle(batch)
        self._staged_temperatures.zero_()
        slots = [sequence.slot for sequence in sequences]
        rows = torch.tensor([self._row(sequence) for sequence in sequences]).T
        self._staged[:, slots] = rows
        temperatures = [sequence.temperature for sequence in sequences]
        self._staged_temperatures[slots] = torch.tensor(temperatures)
        self._fields.copy_(self._staged, non_blocking=True)
        self.temperatures.copy_(self._staged_temperatures, non_blocking=True)

    def advance(self, batch: int, chosen: Tensor) -> None:
        """Go a step further, after tokens [batch] have been chosen."""
        tokens, positions = self.tokens[:batch], self.positions[:batch]
        self.pairs[:batch] = tokens >= self._begin
        stamps = self.stamps[:batch]
        stamps.copy_(torch.where(chosen >= self._begin, chosen, stamps))
        tokens.copy_(chosen)
        positions.add_(1).clamp_(max=self.idle_position)

    def timestamp_state(self, batch: int) -> TimestampState:
        """State of the timestamp rules for the first rows, which all have a token."""
        is_timestamp = self.tokens[:batch, None] >= self._begin
        pairs, stamps = self.pairs[:batch, None] > 0, self.stamps[:batch, None]
        opened = is_timestamp & ~pairs
        minimum = torch.where(opened, stamps, stamps + 1)
        return TimestampState(torch.zeros_like(opened), opened, is_timestamp & pairs, minimum)

    def seeds(self, batch: int) -> Tensor:
        """Seeds of the next draws of the first rows, [batch]."""
        return self.offsets[:batch] + self.positions[:batch]

    def _row(self, sequence: Sequence) -> tuple[int, ...]:
        tokens = sequence.tokens
        return (
            tokens[-1],
            sequence.position,
            int(follows_timestamp(tokens, self._begin)),
            last_timestamp(tokens, self._begin),
            sequence.seed - sequence.position,
        )

    def _idle(self, count: int) -> Tensor:
        """Rows that are idle, [fields, count]."""
        row = torch.tensor([self._eot, self.idle_position, 0, self._begin - 1, 0])
        return row[:, None].expand(-1, count).contiguous()
