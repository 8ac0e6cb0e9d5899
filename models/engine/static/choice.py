"""The next token of each row, chosen without asking the host, and the row a step further."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from models.engine.decoding import TokenRules, logprobs_of
from models.engine.static.rows import Rows


class Choice(Protocol):
    """What follows in the first `batch` of the rows: the most probable token."""

    def __call__(self, batch: int, logits: Tensor, rows: Rows, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        ...


class PlainChoice:
    """In PyTorch, on any device; changes the logits."""

    def __init__(self, rules: TokenRules) -> None:
        self._rules = rules

    def __call__(self, batch: int, logits: Tensor, rows: Rows, chosen: Tensor) -> None:
        scores = logits[:batch]
        self._rules.apply(scores, rows.state(batch))
        tokens = scores.argmax(-1)
        chosen[0, :batch], chosen[1, :batch] = tokens, logprobs_of(tokens, scores)
        rows.go_on(batch, tokens)
