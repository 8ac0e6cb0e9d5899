"""Decode step in static shapes: a token a row is fed, the next chosen, without asking the host.

In plain PyTorch, on any device: the reference of other steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.engine.decoding.alignment import ScoreRecorder
from models.engine.decoding.sampling import gumbel_scores
from models.engine.decoding.token_rules import NEVER, TokenRules, logprobs_of
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache, SlotIndex
from models.engine.static_step.decode_state import DecodeState

# Positions of the text that are read at once: the smallest length that is enough.
_LENGTHS = (64, 128, 256)


class Forward(Protocol):
    """Tokens to states; `lengths` are the lengths of text it is captured for."""

    lengths: tuple[int, ...]

    def __call__(
        self, tokens: Tensor, positions: Tensor, length: int, recorder: ScoreRecorder | None
    ) -> Tensor:
        """[rows] tokens at [rows] positions below `length` -> [rows, n_text_state].

        Row by row they belong to the slots from the first on.
        """
        ...


class Choice(Protocol):
    """The next token of the first `batch` rows."""

    def __call__(self, batch: int, logits: Tensor, rows: DecodeState, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        ...


@dataclass(frozen=True)
class Step:
    """A decode step: tokens are fed; the most probable next ones are chosen, or some are drawn.

    `store_states`, where there is one, is given the encoder states of each batch of windows with
    their slots: [batch] and [batch, n_audio_ctx, n_audio_state]. `nbytes` is what the step holds
    beside the cache.
    """

    feed: Forward
    choose: Choice
    draw: Choice
    store_states: Callable[[Tensor, Tensor], None] | None = None
    nbytes: int = 0


def plain_step(decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
    """The step in PyTorch, on any device."""
    feed = PlainForward(decoder, cache)
    return Step(feed, PlainChoice(rules), PlainChoice(rules, draws=True))


class PlainForward:
    """By `Decoder` itself, which reads as much of the text as the longest row has."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache
        n_ctx = cache.text.n_ctx
        self.lengths = (*(length for length in _LENGTHS if length < n_ctx), n_ctx)

    def __call__(
        self, tokens: Tensor, positions: Tensor, length: int, recorder: ScoreRecorder | None
    ) -> Tensor:
        """[rows] tokens at [rows] positions below `length` -> [rows, n_text_state]."""
        rows = _first_rows(positions, length, self._decoder.embedding.dtype)
        states: Tensor = self._decoder(tokens[:, None], self._cache, rows, recorder)
        return states[:, 0]


def _first_rows(positions: Tensor, length: int, dtype: torch.dtype) -> SlotIndex:
    """The first slots, a row each, at positions [rows]; scores are added to the mask."""
    seen = torch.arange(length, device=positions.device) <= positions[:, None]
    mask = torch.zeros_like(seen, dtype=dtype).masked_fill_(~seen, NEVER)
    return SlotIndex(
        numbers=tuple(range(len(positions))),
        slots=torch.arange(len(positions), device=positions.device),
        positions=positions[:, None],
        mask=mask[:, None, None],
        length=length,
        index=slice(0, len(positions)),
    )


class PlainChoice:
    """The most probable token; where it `draws`, one at random for rows with a temperature.

    In PyTorch, on any device; changes the logits.
    """

    def __init__(self, rules: TokenRules, *, draws: bool = False) -> None:
        self._rules, self._draws = rules, draws

    def __call__(self, batch: int, logits: Tensor, rows: DecodeState, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        scores = logits[:batch]
        self._rules.apply(scores, rows.timestamp_state(batch))
        tokens = (self._with_noise(batch, scores, rows) if self._draws else scores).argmax(-1)
        chosen[0, :batch], chosen[1, :batch] = tokens, logprobs_of(tokens, scores)
        rows.advance(batch, tokens)

    def _with_noise(self, batch: int, scores: Tensor, rows: DecodeState) -> Tensor:
        """[batch, n_vocab] -> the same."""
        return gumbel_scores(scores, rows.temperatures[:batch], rows.seeds(batch))
