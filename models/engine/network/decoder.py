"""Whisper's decoder over a static KV cache, with the projections of a layer fused; the network.

The same mathematics as openai-whisper (whisper/model.py): pre-norm transformer, GELU, learned
positions, logits from the token embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.checkpoints.catalogue import AlignmentHeads, Dimensions
from models.engine.decoding.alignment import Watch
from models.engine.network.absorbed_attention import AbsorbedCross
from models.engine.network.attention import (
    attend_audio,
    attend_text,
    merge_heads,
    split_heads,
)
from models.engine.network.encoder import Encoder
from models.engine.network.kv_cache import CrossRun, KVCache, SlotIndex
from models.engine.network.linear import MLP
from models.engine.network.precision import Precision


def group_sizes(layers: int, together: int) -> list[int]:
    """So many layers in groups of so many, the last one with the rest."""
    return [min(together, layers - first) for first in range(0, layers, together)]


class DecoderBlock(nn.Module):
    """Self-attention over the text so far, cross-attention over the window, then the MLP."""

    alignment_heads: Tensor

    def __init__(self, dims: Dimensions, alignment_heads: Sequence[int], *, absorbs: bool) -> None:
        super().__init__()
        n_state, n_head = dims.n_text_state, dims.n_text_head
        self.n_head = n_head
        # On no device yet: loading.py moves it with the weights.
        heads = torch.tensor(list(alignment_heads), dtype=torch.int64, device="cpu")
        self.register_buffer("alignment_heads", heads, persistent=False)
        self.attn_ln = nn.LayerNorm(n_state)
        self.attn_qkv = nn.Linear(n_state, 3 * n_state)
        self.attn_out = nn.Linear(n_state, n_state)
        self.cross_ln = nn.LayerNorm(n_state)
        self.cross_q = nn.Linear(n_state, n_state)
        self.cross = AbsorbedCross(dims.n_audio_state, n_state, n_head) if absorbs else None
        self.cross_out = nn.Linear(n_state, n_state)
        self.mlp_ln = nn.LayerNorm(n_state)
        self.mlp = MLP(n_state)

    def forward(
        self, x: Tensor, cache: KVCache, layer: int, rows: SlotIndex, watch: Watch | None
    ) -> Tensor:
        qkv = self.attn_qkv(self.attn_ln(x)).to(x.dtype)
        q, kv = qkv.tensor_split((x.shape[-1],), dim=-1)
        cache.write_self(layer, rows, kv.unflatten(-1, (2, self.n_head, -1)))
        attended = attend_text(
            split_heads(q, self.n_head), *cache.read_self(layer, rows), rows.mask
        )
        x = x + self.attn_out(merge_heads(attended))

        q = split_heads(self.cross_q(self.cross_ln(x)), self.n_head)
        x = x + self.cross_out(merge_heads(self.listen(q, cache, layer, rows.numbers, watch)))
        return x + self.mlp(self.mlp_ln(x))

    def listen(
        self,
        q: Tensor,
        cache: KVCache,
        layer: int,
        slots: Sequence[int] | Tensor,
        watch: Watch | None,
    ) -> Tensor:
        """What queries, [batch, head, ctx, head_dim], hear in their windows; the same shape."""
        if not len(self.alignment_heads):
            watch = None
        if self.cross:
            heard: Tensor
            heard, scores = self.cross(q, cache.states_of(slots))
            if watch:
                for row, own in enumerate(scores):
                    watch.note(slice(row, row + 1), own[None, self.alignment_heads, -1])
            return heard
        parts: list[Tensor] = []
        for run in cache.read_cross(layer, slots):
            if watch:
                self._note(watch, q, run)
            parts.append(attend_audio(q[run.rows], run.k, run.v, run.log_weight))
        return torch.cat(parts)

    def _note(self, watch: Watch, q: Tensor, run: CrossRun) -> None:
        queries = q[run.rows, self.alignment_heads, -1:].to(run.k.dtype)
        scores = queries @ run.k[:, self.alignment_heads].mT * q.shape[-1] ** -0.5
        watch.note(run.rows, scores[:, :, 0])


class Decoder(nn.Module):
    """Tokens to states, for rows that each stand at positions of their own."""

    def __init__(
        self, dims: Dimensions, alignment_heads: AlignmentHeads, *, absorbs: bool, together: int
    ) -> None:
        super().__init__()
        n_state = dims.n_text_state
        self.n_head, self.n_alignment_head = dims.n_text_head, len(alignment_heads)
        self.embedding = nn.Parameter(torch.empty(dims.n_vocab, n_state))
        self.positions = nn.Parameter(torch.empty(dims.n_text_ctx, n_state))
        # What comes out of a projection: layers, keys and values, heads.
        self._heads = (-1, 2, self.n_head, n_state // self.n_head)
        # So many layers each, the last fewer; none where the queries carry the projections.
        self.cross_kv = nn.ModuleList(
            nn.Linear(dims.n_audio_state, 2 * n_state * layers)
            for layers in group_sizes(0 if absorbs else dims.n_text_layer, together)
        )
        heads = [[h for at, h in alignment_heads if at == n] for n in range(dims.n_text_layer)]
        self.blocks = nn.ModuleList(DecoderBlock(dims, own, absorbs=absorbs) for own in heads)
        self.ln = nn.LayerNorm(n_state)
        # The embedding again; a layer of its own, so that it can be packed.
        self.head = nn.Linear(n_state, dims.n_vocab)

    def write_cross(self, audio: Tensor, cache: KVCache, slots: Tensor) -> None:
        """Keys and values of windows, [batch, kept, n_audio_state], into the slots."""
        first = 0
        for project in self.cross_kv:
            first += self._write_group(project(audio), first, cache, slots)

    def _write_group(self, kv: Tensor, first: int, cache: KVCache, slots: Tensor) -> int:
        by_layer = kv.unflatten(-1, self._heads)
        layers = by_layer.shape[2]
        cache.write_cross(slice(first, first + layers), slots, by_layer)
        return layers

    def cross_weights(self) -> list[Tensor]:
        """Of each layer's keys and values, [2, head, head_dim, n_audio_state]."""
        groups = (linear.get_parameter("weight") for linear in self.cross_kv)
        return [weight for group in groups for weight in group.unflatten(0, self._heads)]

    def forward(
        self, tokens: Tensor, cache: KVCache, rows: SlotIndex, watch: Watch | None = None
    ) -> Tensor:
        x = self.embedding[tokens] + self.positions[rows.positions]  # [batch, ctx, n_text_state]
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer, rows, watch)
        return self.ln(x)

    def logits(self, x: Tensor) -> Tensor:
        """[rows, n_text_state] -> [rows, n_vocab], in float32."""
        return self.head(x).float()


class Network(nn.Module):
    """Encoder and decoder of one checkpoint on one device.

    Keys and values of windows are computed for so many layers `together`.
    """

    def __init__(
        self,
        dims: Dimensions,
        precision: Precision,
        alignment_heads: AlignmentHeads,
        *,
        together: int = 1,
    ) -> None:
        super().__init__()
        self.dims = dims
        self.encoder = Encoder(dims, precision.attention, rotates=precision.rotates)
        self.decoder = Decoder(dims, alignment_heads, absorbs=precision.absorbs, together=together)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder.embedding.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format between layers."""
        return self.decoder.embedding.dtype
