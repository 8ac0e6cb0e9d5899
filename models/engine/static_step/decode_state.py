"""What the slots' next steps need, on the device: it goes on from step to step by itself."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import TimestampState, follows_timestamp, last_timestamp
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.static_step.pinned_memory import staged


class DecodeState:
    """One row for each slot, so that a batch is a view: the first so many.

    `tokens` are the last ones and `positions` where they stand; `pairs` says whether there was a
    timestamp before (1) or not (0), `stamps` is the last timestamp. What is drawn depends on
    `temperatures`, float32, and on seeds that are by `offsets` more than the positions. [slots]
    each, int64 but for the temperatures.
    """

    def __init__(self, vocabulary: Vocabulary, slots: int, device: torch.device) -> None:
        self._begin, self._eot = vocabulary.timestamp_begin, vocabulary.eot
        # The position of a row that nobody waits for: a live one is over before it reads there
        # what another step has written.
        self.nowhere = vocabulary.dims.n_text_ctx - 1
        self._fields = self._idle(slots).to(device, copy=True)
        self.tokens, self.positions, self.pairs, self.stamps, self.offsets = self._fields
        self.temperatures = torch.zeros(slots, device=device)
        self._staged = staged(self._fields, device)
        self._staged_temperatures = staged(self.temperatures, device)

    def load(self, sequences: Seq[Sequence], batch: int) -> None:
        """Take over where these sequences stand; every other row of the batch is idle."""
        self._staged[:, :batch] = self._idle(batch)
        self._staged_temperatures.zero_()
        where = [sequence.slot for sequence in sequences]
        rows = torch.tensor([self._row(sequence) for sequence in sequences]).T
        self._staged[:, where] = rows
        temperatures = [sequence.temperature for sequence in sequences]
        self._staged_temperatures[where] = torch.tensor(temperatures)
        self._fields.copy_(self._staged, non_blocking=True)
        self.temperatures.copy_(self._staged_temperatures, non_blocking=True)

    def go_on(self, batch: int, chosen: Tensor) -> None:
        """The next step's rows, after tokens [batch] have been chosen."""
        tokens, positions = self.tokens[:batch], self.positions[:batch]
        self.pairs[:batch] = tokens >= self._begin
        stamps = self.stamps[:batch]
        stamps.copy_(torch.where(chosen >= self._begin, chosen, stamps))
        tokens.copy_(chosen)
        positions.add_(1).clamp_(max=self.nowhere)

    def state(self, batch: int) -> TimestampState:
        """What the timestamp rules need of the first rows, which all have a token."""
        is_timestamp = self.tokens[:batch, None] >= self._begin
        pairs, stamps = self.pairs[:batch, None] > 0, self.stamps[:batch, None]
        opened = is_timestamp & ~pairs
        minimum = torch.where(opened, stamps, stamps + 1)
        return TimestampState(torch.zeros_like(opened), opened, is_timestamp & pairs, minimum)

    def seeds(self, batch: int) -> Tensor:
        """What the next draws of the first rows depend on, [batch]."""
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
        row = torch.tensor([self._eot, self.nowhere, 0, self._begin - 1, 0])
        return row[:, None].expand(-1, count).contiguous()
