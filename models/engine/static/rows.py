"""What the slots' next steps need, on the device: it goes on from step to step by itself."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.decoding import follows_timestamp, last_timestamp
from models.engine.sequence import Sequence
from models.engine.vocabulary import Vocabulary

_FIELDS = 4


class Rows:
    """One row for each slot, so that a batch is a view: the first so many.

    `tokens` are the last ones and `positions` where they stand; `pairs` says whether there was a
    timestamp before (1) or not (0), `stamps` is the last timestamp. [slots] each, int64.
    """

    def __init__(self, vocabulary: Vocabulary, slots: int, device: torch.device) -> None:
        self._begin, self._eot = vocabulary.timestamp_begin, vocabulary.eot
        # The position of a row that nobody waits for: a live one is over before it reads there
        # what another step has written.
        self._nowhere = vocabulary.dims.n_text_ctx - 1
        self._fields = torch.zeros(_FIELDS, slots, dtype=torch.int64, device=device)
        self._fields.copy_(self._idle(slots))
        self.tokens, self.positions, self.pairs, self.stamps = self._fields
        self._staged = self._idle(slots)
        if device.type == "cuda":
            self._staged = self._staged.pin_memory()

    def load(self, sequences: Seq[Sequence], batch: int) -> None:
        """Take over where these sequences stand; every other row of the batch is idle."""
        self._staged[:, :batch] = self._idle(batch)
        where = [sequence.slot for sequence in sequences]
        rows = torch.tensor([self._row(sequence) for sequence in sequences]).T
        self._staged[:, where] = rows
        self._fields.copy_(self._staged, non_blocking=True)

    def go_on(self, batch: int, chosen: Tensor) -> None:
        """The next step's rows, after tokens [batch] have been chosen."""
        tokens, positions = self.tokens[:batch], self.positions[:batch]
        self.pairs[:batch] = tokens >= self._begin
        stamps = self.stamps[:batch]
        stamps.copy_(torch.where(chosen >= self._begin, chosen, stamps))
        tokens.copy_(chosen)
        positions.add_(1).clamp_(max=self._nowhere)

    def timestamps(self, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """`opened`, `closed` and `least` of a `TimestampState`, [batch, 1] each."""
        is_timestamp = self.tokens[:batch, None] >= self._begin
        pairs, stamps = self.pairs[:batch, None] > 0, self.stamps[:batch, None]
        opened = is_timestamp & ~pairs
        return opened, is_timestamp & pairs, torch.where(opened, stamps, stamps + 1)

    def _row(self, sequence: Sequence) -> tuple[int, ...]:
        tokens = sequence.tokens
        return (
            tokens[-1],
            sequence.position,
            int(follows_timestamp(tokens, self._begin)),
            last_timestamp(tokens, self._begin),
        )

    def _idle(self, count: int) -> Tensor:
        row = torch.tensor([self._eot, self._nowhere, 0, self._begin - 1])
        return row[:, None].expand(-1, count).contiguous()
