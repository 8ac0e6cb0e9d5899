"""The decoder's step over the first so many slots, for any device."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from models.engine.decoding.alignment import Watch
from models.engine.decoding.token_rules import NEVER
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache, SlotIndex

# Positions of the text that are read at once: the least that is enough.
_LENGTHS = (64, 128, 256)


class Forward(Protocol):
    """Tokens to states; `lengths` are the lengths of text it is captured for."""

    lengths: tuple[int, ...]

    def __call__(
        self, tokens: Tensor, positions: Tensor, length: int, watch: Watch | None
    ) -> Tensor:
        """[rows] tokens at [rows] positions below `length` -> [rows, n_text_state].

        Row by row they belong to the slots from the first on.
        """
        ...


class PlainForward:
    """By `Decoder` itself, which reads as much of the text as the longest row has."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache
        n_ctx = cache.text.shape[4]
        self.lengths = (*(length for length in _LENGTHS if length < n_ctx), n_ctx)

    def __call__(
        self, tokens: Tensor, positions: Tensor, length: int, watch: Watch | None
    ) -> Tensor:
        rows = first_rows(positions, length, self._decoder.embedding.dtype)
        states: Tensor = self._decoder(tokens[:, None], self._cache, rows, watch)
        return states[:, 0]


def first_rows(positions: Tensor, length: int, dtype: torch.dtype) -> SlotIndex:
    """The first slots, a row each, at these positions; the mask is one that scores are added to."""
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
