"""Keys and values of windows for the layers of the decoder together, not one by one."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.engine.cache import KVCache
from models.engine.network import Decoder

# Bytes between a product and the cache: all layers of large-v3 would take 2 GB for eight windows.
_BYTES = 256 * 2**20


class CrossProducts:
    """One product for all layers, or for as many as what is in between has `most_bytes` for.

    A layer alone leaves a part of a GPU idle at its end. From now on the decoder's own projections
    are views of what is multiplied here.
    """

    def __init__(
        self, decoder: Decoder, cache: KVCache, windows: int, most_bytes: int = _BYTES
    ) -> None:
        self._cache, self._n_head = cache, decoder.n_head
        linears = [cast(nn.Linear, linear) for linear in decoder.cross_kv]
        self._weight = torch.stack([linear.weight for linear in linears])
        self._bias = torch.stack([linear.bias for linear in linears])
        for linear, weight, bias in zip(linears, self._weight, self._bias, strict=True):
            linear.weight = nn.Parameter(weight, requires_grad=False)
            linear.bias = nn.Parameter(bias, requires_grad=False)
        one = windows * cache.audio.shape[4] * self._bias[0].nbytes
        self.layers_together = min(len(linears), max(1, most_bytes // one))

    def write(self, audio: Tensor, slots: Tensor) -> None:
        """Keys and values of windows, [batch, n_audio_ctx, n_audio_state], into the slots."""
        for first in range(0, len(self._weight), self.layers_together):
            layers = slice(first, first + self.layers_together)
            weight, bias = self._weight[layers].flatten(0, 1), self._bias[layers].flatten()
            kv = F.linear(audio, weight, bias)
            kv = kv.unflatten(-1, (len(self._bias[layers]), 2, self._n_head, -1))
            self._cache.write_cross(layers, slots, kv)
