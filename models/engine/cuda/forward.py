"""The decoder's step over one token a row, in few kernels."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from models.engine.alignment import Watch
from models.engine.cache import KVCache
from models.engine.cuda.compiler import Kernel
from models.engine.cuda.layers import Block, FewRows, Multiply, multiply
from models.engine.network import Decoder, DecoderBlock

# So many rows are multiplied by kernels that read the weights as fast as they come; cuBLAS is made
# for more.
_FEW = 4
_THREADS = 128
HEAD_DIM = 64


class FusedForward:
    """`Decoder.forward` for rows that are the first slots and have one token each."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache
        embedding = decoder.embedding
        self._dtype, self._device = embedding.dtype, embedding.device
        self._state = embedding.shape[1]
        n_ctx = cache.text.shape[4]
        # A row reads its own text and no more, whatever the others have.
        self.lengths: tuple[int, ...] = (n_ctx,)
        macros = {"BFLOAT16": int(self._dtype is torch.bfloat16), "N_CTX": n_ctx}
        self._attend = Kernel("attend_text", macros, self._device)
        self._blocks = [Block.of(cast(DecoderBlock, block)) for block in decoder.blocks]
        self._few: dict[int, FewRows] = {}

    def __call__(
        self,
        tokens: Tensor,
        positions: Tensor,
        length: int,
        watch: Watch | None,
    ) -> Tensor:
        """Tokens to states; their keys and values go into the cache."""
        decoder, through = self._decoder, self._multiply(len(tokens))
        slots = range(len(tokens))
        x = decoder.embedding[tokens] + decoder.positions[positions]
        for layer, each in enumerate(self._blocks):
            qkv = through(x, each.qkv, None)
            x = through(self._attend_text(qkv, layer, positions), each.out, x)
            q = through(x, each.cross_q, None).view(len(x), -1, 1, HEAD_DIM)
            heard = each.block.listen(q, self._cache, layer, slots, watch).reshape(len(x), -1)
            x = through(heard, each.cross_out, x)
            x = through(through(x, each.up, None), each.down, x)
        return cast(Tensor, decoder.ln(x))

    def _attend_text(self, qkv: Tensor, layer: int, positions: Tensor) -> Tensor:
        out = qkv.new_empty(len(qkv), self._state)
        keys, values = self._cache.text[layer]
        grid = (self._state // HEAD_DIM, len(qkv))
        self._attend.launch(grid, _THREADS, [qkv, keys, values, positions, out])
        return out

    def _multiply(self, rows: int) -> Multiply:
        if rows > _FEW:
            return multiply
        if rows not in self._few:
            self._few[rows] = FewRows(rows, self._state, self._dtype, self._device)
        return self._few[rows]
