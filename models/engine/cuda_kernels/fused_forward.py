"""Decoder over one token a row in few CUDA kernels: `Decoder.forward` for the first slots."""

from __future__ import annotations

from typing import cast

from torch import Tensor

from models.engine.cuda_kernels.attention_kernel import HEAD_DIM, TextAttention, window_attention
from models.engine.cuda_kernels.cross_projections import outputs_with_values_bias
from models.engine.cuda_kernels.linear_kernels import Block, FewRows, Layer, Multiply, multiply
from models.engine.cuda_kernels.states_kernel import state_attention
from models.engine.decoding.alignment import ScoreRecorder
from models.engine.network.decoder import Decoder, DecoderBlock
from models.engine.network.kv_cache import KVCache

# So many rows go through kernels that read weights and windows as fast as they come; PyTorch's are
# made for more.
_FEW = 4
# From so many on a step is as long as reading their windows takes.
_MANY = 32


class FusedForward:
    """A `Forward`; `states` reads the encoder states of windows, where the device can."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache
        self.lengths: tuple[int, ...] = (cache.text.n_ctx,)
        self._attend_text, self._attend_window = TextAttention(cache), window_attention(cache)
        self.states = state_attention(decoder, cache)
        self._blocks = [Block.of(cast(DecoderBlock, block)) for block in decoder.blocks]
        outputs = outputs_with_values_bias(decoder) if self.states else []
        self._behind_states = [Layer(linear) for linear in outputs]
        self._few: dict[int, FewRows] = {}

    def __call__(
        self,
        tokens: Tensor,
        positions: Tensor,
        length: int,
        recorder: ScoreRecorder | None,
    ) -> Tensor:
        """[rows] tokens at [rows] positions -> [rows, n_text_state]; caches keys and values."""
        decoder, through = self._decoder, self._multiply(len(tokens))
        states = decoder.embedding[tokens] + decoder.positions[positions]
        for layer, layers in enumerate(self._blocks):
            qkv = through(states, layers.qkv, None)
            states = through(self._attend_text(qkv, layer, positions), layers.out, states)
            q = through(states, layers.cross_q, None)
            attended, cross_out = self._attend_cross(q, layers, layer, recorder)
            states = through(attended, cross_out, states)
            states = through(through(states, layers.up, None), layers.down, states)
        return cast(Tensor, decoder.ln(states))

    def _attend_cross(
        self, q: Tensor, layers: Block, layer: int, recorder: ScoreRecorder | None
    ) -> tuple[Tensor, Layer]:
        """Cross-attention, [rows, n_text_state] -> the same, and the layer behind it."""
        block, rows = layers.block, len(q)
        records = recorder is not None and len(block.alignment_heads) > 0
        if self._attend_window and rows <= _FEW and not records:
            return self._attend_window(q, layer), layers.cross_out
        if self.states and rows >= _MANY and not records:
            return self.states(q, layer), self._behind_states[layer]
        heads = q.view(rows, -1, 1, HEAD_DIM)
        attended = block.attend_cross(heads, self._cache, layer, range(rows), recorder)
        return attended.reshape(rows, -1), layers.cross_out

    def _multiply(self, rows: int) -> Multiply:
        if rows > _FEW:
            return multiply
        if rows not in self._few:
            embedding = self._decoder.embedding
            self._few[rows] = FewRows(rows, embedding.shape[1], embedding.dtype, embedding.device)
        return self._few[rows]
