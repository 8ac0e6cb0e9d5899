"""The next token of each row, chosen without asking the host, and the row a step further."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from models.engine.static.greedy import Greedy
from models.engine.static.rows import Rows
from models.engine.vocabulary import Vocabulary


class Choice(Protocol):
    """What follows in the first `batch` of the rows."""

    def __call__(self, batch: int, logits: Tensor, rows: Rows, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        ...


class PlainChoice:
    """In PyTorch, on any device."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        self._greedy = Greedy(vocabulary, device)

    def __call__(self, batch: int, logits: Tensor, rows: Rows, chosen: Tensor) -> None:
        tokens, logprobs = self._greedy.choose(logits[:batch], *rows.timestamps(batch))
        rows.go_on(batch, tokens)
        chosen[0, :batch], chosen[1, :batch] = tokens, logprobs
