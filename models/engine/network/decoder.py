"""Whisper's text decoder over a static KV cache, with the projections of a layer fused.

The same mathematics as openai-whisper (whisper/model.py): pre-norm transformer, GELU, learned
positions, logits from the token embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.checkpoints.catalogue import AlignmentHeads, Dimensions
from models.engine.decoding.alignment import ScoreRecorder
from models.engine.network.absorbed_attention import AbsorbedCross
from models.engine.network.attention import (
    attend_audio,
    attend_text,
    merge_heads,
    split_heads,
)
from models.engine.network.cross_kv import CrossKV, CrossRun
from models.engine.network.encoder import Encoder
from models.engine.network.kv_cache import KVCache, SlotIndex
from models.engine.network.linear import MLP
from models.engine.network.packed_states import PackedEncoderStates, PackedStatesCache
from models.engine.network.precision import Precision


def group_sizes(layers: int, layers_per_group: int) -> list[int]:
    """The sizes of groups of layers, the last one with the rest."""
    return [min(layers_per_group, layers - first) for first in range(0, layers, layers_per_group)]


class DecoderBlock(nn.Module):
    """Self-attention over the text so far, cross-attention over the window, then the MLP."""

    alignment_heads: Tensor

    def __init__(self, dims: Dimensions, alignment_heads: Sequence[int], *, absorbs: bool) -> None:
        super().__init__()
        n_state, n_head = dims.n_text_state, dims.n_text_head
        self.n_head = n_head
        # On no device yet: load_network.py moves it with the weights.
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
        self,
        states: Tensor,
        cache: KVCache,
        layer: int,
        rows: SlotIndex,
        recorder: ScoreRecorder | None,
    ) -> Tensor:  # [batch, ctx, n_text_state] -> the same
        qkv = self.attn_qkv(self.attn_ln(states)).to(states.dtype)
        q, kv = qkv.tensor_split((states.shape[-1],), dim=-1)
        cache.text.write(layer, rows, kv.unflatten(-1, (2, self.n_head, -1)))
        k, v = cache.text.read(layer, rows)
        attended = attend_text(split_heads(q, self.n_head), k, v, rows.mask)
        states = states + self.attn_out(merge_heads(attended))

        q = split_heads(self.cross_q(self.cross_ln(states)), self.n_head)
        attended = self.attend_cross(q, cache, layer, rows.numbers, recorder)
        states = states + self.cross_out(merge_heads(attended))
        return states + self.mlp(self.mlp_ln(states))

    def attend_cross(
        self,
        q: Tensor,
        cache: KVCache,
        layer: int,
        slots: Sequence[int] | Tensor,
        recorder: ScoreRecorder | None,
    ) -> Tensor:
        """Cross-attention over the windows of slots, [batch, head, ctx, head_dim] -> the same."""
        if not len(self.alignment_heads):
            recorder = None
        if isinstance(cache.window, PackedStatesCache):
            return self._attend_states(q, cache.window.read(slots), recorder)
        parts: list[Tensor] = []
        for run in cache.window.read(layer, slots):
            if recorder:
                self._record(recorder, q, run)
            parts.append(attend_audio(q[run.rows], run.k, run.v, run.log_weight))
        return torch.cat(parts)

    def _attend_states(
        self, q: Tensor, windows: Sequence[PackedEncoderStates], recorder: ScoreRecorder | None
    ) -> Tensor:
        """Over packed states, [batch, head, ctx, head_dim] -> the same."""
        assert self.cross
        attended: Tensor
        attended, scores = self.cross(q, windows)
        if recorder:
            for row, row_scores in enumerate(scores):
                recorder.record(slice(row, row + 1), row_scores[None, self.alignment_heads])
        return attended

    def _record(self, recorder: ScoreRecorder, q: Tensor, run: CrossRun) -> None:
        """Scores, [rows, heads, ctx, positions], of queries [batch, head, ctx, head_dim]."""
        queries = q[run.rows, self.alignment_heads].to(run.k.dtype)
        scores = queries @ run.k[:, self.alignment_heads].mT * q.shape[-1] ** -0.5
        recorder.record(run.rows, scores)


class Decoder(nn.Module):
    """Tokens to states, for rows that each stand at positions of their own."""

    def __init__(
        self,
        dims: Dimensions,
        alignment_heads: AlignmentHeads,
        *,
        absorbs: bool,
        layers_per_projection: int,
    ) -> None:
        super().__init__()
        n_state = dims.n_text_state
        self.n_head, self.n_alignment_head = dims.n_text_head, len(alignment_heads)
        self.embedding = nn.Parameter(torch.empty(dims.n_vocab, n_state))
        self.positions = nn.Parameter(torch.empty(dims.n_text_ctx, n_state))
        # Outputs of a cross-KV projection: [layer, key/value, head, head_dim].
        self.cross_shape = (-1, 2, self.n_head, n_state // self.n_head)
        # So many layers each, the last fewer; none where the queries carry the projections.
        self.cross_kv = nn.ModuleList(
            nn.Linear(dims.n_audio_state, 2 * n_state * layers)
            for layers in group_sizes(0 if absorbs else dims.n_text_layer, layers_per_projection)
        )
        heads = [[h for at, h in alignment_heads if at == n] for n in range(dims.n_text_layer)]
        self.blocks = nn.ModuleList(DecoderBlock(dims, some, absorbs=absorbs) for some in heads)
        self.ln = nn.LayerNorm(n_state)
        # The embedding again; a layer of its own, so that it can be packed.
        self.head = nn.Linear(n_state, dims.n_vocab)

    def write_cross(self, states: Tensor, cross: CrossKV, slots: Tensor) -> None:
        """Keys and values of windows, [batch, positions, n_audio_state], into slots [batch]."""
        first = 0
        for project in self.cross_kv:
            first += self._write_group(project(states), first, cross, slots)

    def _write_group(self, kv: Tensor, first: int, cross: CrossKV, slots: Tensor) -> int:
        """Of [batch, positions, layers * ...]; the number of layers."""
        by_layer = kv.unflatten(-1, self.cross_shape)
        layers = by_layer.shape[2]
        cross.write(slice(first, first + layers), slots, by_layer)
        return layers

    def forward(
        self,
        tokens: Tensor,
        cache: KVCache,
        rows: SlotIndex,
        recorder: ScoreRecorder | None = None,
    ) -> Tensor:  # [batch, ctx] -> [batch, ctx, n_text_state]
        states = self.embedding[tokens] + self.positions[rows.positions]
        for layer, block in enumerate(self.blocks):
            states = block(states, cache, layer, rows, recorder)
        return self.ln(states)

    def logits(self, states: Tensor) -> Tensor:
        """[rows, n_text_state] -> [rows, n_vocab], in float32."""
        return self.head(states).float()


class Network(nn.Module):
    """Encoder and decoder of one checkpoint on one device.

    One product computes the cross-KV of `layers_per_projection` layers.
    """

    def __init__(
        self,
        dims: Dimensions,
        precision: Precision,
        alignment_heads: AlignmentHeads,
        *,
        layers_per_projection: int = 1,
    ) -> None:
        super().__init__()
        self.dims = dims
        self.encoder = Encoder(dims, precision.attention, rotates=precision.rotates)
        self.decoder = Decoder(
            dims,
            alignment_heads,
            absorbs=precision.absorbs,
            layers_per_projection=layers_per_projection,
        )

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.decoder.embedding.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format between layers."""
        return self.decoder.embedding.dtype
