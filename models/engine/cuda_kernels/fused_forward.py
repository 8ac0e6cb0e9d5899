"""The decoder's step over one token a row, in few kernels."""

from __future__ import annotations

from typing import cast

from torch import Tensor

from models.engine.cuda_kernels.attention_kernel import HEAD_DIM, TextAttention, window_attention
from models.engine.cuda_kernels.linear_kernels import Block, FewRows, Multiply, multiply
from models.engine.cuda_kernels.states_kernel import state_attention
from models.engine.decoding.alignment import Watch
from models.engine.network.decoder import Decoder, DecoderBlock
from models.engine.network.kv_cache import KVCache

# So many rows go through kernels that read weights and windows as fast as they come; PyTorch's are
# made for more.
_FEW = 4
# From so many on a step is as long as reading their windows takes.
_MANY = 32


class FusedForward:
    """`Decoder.forward` for rows that are the first slots and have one token each."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache
        self.lengths: tuple[int, ...] = (cache.text.shape[4],)
        self._attend_text, self._attend_window = TextAttention(cache), window_attention(cache)
        self._attend_states = state_attention(decoder, cache)
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
        x = decoder.embedding[tokens] + decoder.positions[positions]
        for layer, each in enumerate(self._blocks):
            qkv = through(x, each.qkv, None)
            x = through(self._attend_text(qkv, layer, positions), each.out, x)
            heard = self._listen(through(x, each.cross_q, None), each.block, layer, watch)
            x = through(heard, each.cross_out, x)
            x = through(through(x, each.up, None), each.down, x)
        return cast(Tensor, decoder.ln(x))

    def _listen(self, q: Tensor, block: DecoderBlock, layer: int, watch: Watch | None) -> Tensor:
        watched = watch is not None and len(block.alignment_heads) > 0
        if self._attend_window and len(q) <= _FEW and not watched:
            return self._attend_window(q, layer)
        if self._attend_states and len(q) >= _MANY and not watched:
            return self._attend_states(q, layer)
        heads = q.view(len(q), -1, 1, HEAD_DIM)
        return block.listen(heads, self._cache, layer, range(len(q)), watch).reshape(len(q), -1)

    def _multiply(self, rows: int) -> Multiply:
        if rows > _FEW:
            return multiply
        if rows not in self._few:
            embedding = self._decoder.embedding
            self._few[rows] = FewRows(rows, embedding.shape[1], embedding.dtype, embedding.device)
        return self._few[rows]
