"""The next token of each row, chosen without asking the host, and the row a step further."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from models.engine.decoding.sampling import gumbel_scores
from models.engine.decoding.token_rules import TokenRules, logprobs_of
from models.engine.static_step.decode_state import DecodeState


class Choice(Protocol):
    """What follows in the first `batch` of the rows."""

    def __call__(self, batch: int, logits: Tensor, rows: DecodeState, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        ...


class PlainChoice:
    """The most probable token; where it `draws`, one at random for rows with a temperature.

    In PyTorch, on any device; changes the logits.
    """

    def __init__(self, rules: TokenRules, *, draws: bool = False) -> None:
        self._rules, self._draws = rules, draws

    def __call__(self, batch: int, logits: Tensor, rows: DecodeState, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        scores = logits[:batch]
        self._rules.apply(scores, rows.state(batch))
        tokens = (self._with_noise(batch, scores, rows) if self._draws else scores).argmax(-1)
        chosen[0, :batch], chosen[1, :batch] = tokens, logprobs_of(tokens, scores)
        rows.go_on(batch, tokens)

    def _with_noise(self, batch: int, scores: Tensor, rows: DecodeState) -> Tensor:
        return gumbel_scores(scores, rows.temperatures[:batch], rows.seeds(batch))
