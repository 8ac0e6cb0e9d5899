"""Prefill of short prompts as CUDA graphs, by batch bucket and width, into any slots."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.cuda_graphs.graph_cache import GraphCache, bucket_for, padded_to, powers_of_two
from models.engine.cuda_graphs.launcher import Launcher
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache, SlotIndex

# Tokens of a prompt without previous text: start-of-transcript, language, task.
WIDEST = 3
# Positions that are read of the text.
_LENGTH = 32


class GraphPrompts:
    """Feeds up to `maximum` prompts of at most `WIDEST` tokens, captured by number and width."""

    def __init__(
        self, network: Network, cache: KVCache, launcher: Launcher, maximum: int, padding: int
    ) -> None:
        self._decoder, self._cache = network.decoder, cache
        self._padding, self.maximum = padding, maximum
        device, dims = network.device, network.dims
        self._tokens = torch.zeros(maximum, WIDEST, dtype=torch.int64, device=device)
        self._slots = torch.zeros(maximum, dtype=torch.int64, device=device)
        shape = (maximum, WIDEST, dims.n_text_state)
        self._states = torch.zeros(shape, dtype=network.dtype, device=device)
        self._sizes = powers_of_two(maximum)
        self._feed = GraphCache(launcher, self._run)

    def warm_up(self) -> None:
        """Capture what is asked for most: the whole prompt, and its first token alone."""
        for size in self._sizes[::-1]:
            for width in (WIDEST, 1):
                self._feed.get(size, width)

    def feed(self, prompts: Seq[Seq[int]], slots: Seq[int]) -> Tensor:
        """The states after each token, [rows, longest, n_text_state].

        What fills up a short prompt stands after its tokens: nothing sees it before it is
        overwritten.
        """
        size, width = bucket_for(self._sizes, len(prompts)), max(map(len, prompts))
        tokens = [[*prompt, *[self._padding] * (width - len(prompt))] for prompt in prompts]
        self._tokens[:size, :width] = torch.tensor(padded_to(size, tokens))
        self._slots[:size] = torch.tensor(padded_to(size, slots))
        self._feed.get(size, width)()
        return self._states[: len(prompts), :width]

    def _run(self, size: int, width: int) -> None:
        slots = self._slots[:size]
        positions = torch.arange(width, device=slots.device).expand(size, -1)
        mask = torch.arange(_LENGTH, device=slots.device) <= positions[:, None, :, None]
        rows = SlotIndex(slots, slots, positions, mask, _LENGTH, slots)
        self._states[:size, :width] = self._decoder(
            self._tokens[:size, :width], self._cache, rows, None
        )
