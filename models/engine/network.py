"""Whisper's encoder and decoder over a static KV cache, with the projections of a layer fused.

The same mathematics as openai-whisper (whisper/model.py): pre-norm transformer, GELU, sinusoidal
encoder positions, learned decoder positions, logits from the token embedding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.catalogue import AlignmentHeads, Dimensions
from models.engine.absorbed import AbsorbedCross
from models.engine.alignment import Watch
from models.engine.attention import (
    attend_audio,
    attend_text,
    attend_window,
    merge_heads,
    split_heads,
)
from models.engine.cache import CacheRows, CrossRun, KVCache
from models.engine.linear import MLP
from models.engine.padding import END, Kept
from models.engine.precision import Precision


def sinusoids(length: int, channels: int) -> Tensor:
    """Encoder positions, [length, channels]: sines of rising wavelength, then the cosines."""
    step = math.log(10_000) / (channels // 2 - 1)
    rates = torch.exp(-step * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class EncoderBlock(nn.Module):
    """Self-attention over a whole window, then the MLP."""

    def __init__(self, n_state: int, n_head: int, attn_dtype: torch.dtype) -> None:
        super().__init__()
        self.n_head, self.attn_dtype = n_head, attn_dtype
        self.attn_ln = nn.LayerNorm(n_state)
        self.attn_qkv = nn.Linear(n_state, 3 * n_state)
        self.attn_out = nn.Linear(n_state, n_state)
        self.mlp_ln = nn.LayerNorm(n_state)
        self.mlp = MLP(n_state)

    def forward(self, x: Tensor, log_weight: Tensor | None) -> Tensor:  # [batch, kept, state]
        qkv = self.attn_qkv(self.attn_ln(x)).to(self.attn_dtype).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_head) for part in qkv)
        x = x + self.attn_out(merge_heads(attend_window(q, k, v, log_weight)))
        return x + self.mlp(self.mlp_ln(x))


class Encoder(nn.Module):
    """Log-mel windows to audio states."""

    def __init__(self, dims: Dimensions, attn_dtype: torch.dtype, *, rotates: bool) -> None:
        super().__init__()
        n_state = dims.n_audio_state
        self.conv1 = nn.Conv1d(dims.n_mels, n_state, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(n_state, n_state, kernel_size=3, stride=2, padding=1)
        # Into the basis of the residual stream, where that is another (rotation.py).
        self.entry = nn.Linear(n_state, n_state, bias=False) if rotates else None
        self.positions = nn.Parameter(torch.empty(dims.n_audio_ctx, n_state))
        self.blocks = nn.ModuleList(
            EncoderBlock(n_state, dims.n_audio_head, attn_dtype) for _ in range(dims.n_audio_layer)
        )
        self.ln_post = nn.LayerNorm(n_state)

    def stages(self, mel: Tensor, kept: Kept) -> Iterator[Tensor]:
        """The states of [batch, n_mels, 2 * n_audio_ctx], from layer to layer.

        The last is the encoder's output, [batch, kept, n_audio_state].
        """
        x = self._convolved(mel, kept)
        x = (x if self.entry is None else self.entry(x)) + self.positions[kept.index]
        yield x
        for block in self.blocks:
            x = block(x, kept.log_weight)
            yield x
        yield self.ln_post(x)

    def _convolved(self, mel: Tensor, kept: Kept) -> Tensor:
        if kept.log_weight is None:
            return self._convolve(mel)
        # Two positions more than asked for: what the convolutions see beyond is the window's own.
        sound = self._convolve(mel[..., : 2 * (kept.dense + 2)])[:, : kept.dense]
        end = self._convolve(mel[..., -2 * (END + 2) :])[:, 2:]
        between = end[:, :1].expand(-1, kept.size - kept.dense - END, -1)
        return torch.cat([sound, between, end], dim=1)

    def _convolve(self, mel: Tensor) -> Tensor:
        # As it lies in memory, so do all that is added to it.
        return F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2).contiguous()


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
        self, x: Tensor, cache: KVCache, layer: int, rows: CacheRows, watch: Watch | None
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
            heard, scores = self.cross(q, cache.heard(slots))
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

    def __init__(self, dims: Dimensions, alignment_heads: AlignmentHeads, *, absorbs: bool) -> None:
        super().__init__()
        n_state = dims.n_text_state
        self.n_head, self.n_alignment_head = dims.n_text_head, len(alignment_heads)
        self.embedding = nn.Parameter(torch.empty(dims.n_vocab, n_state))
        self.positions = nn.Parameter(torch.empty(dims.n_text_ctx, n_state))
        # None of them where the queries carry the projections.
        self.cross_kv = nn.ModuleList(
            nn.Linear(dims.n_audio_state, 2 * n_state)
            for _ in range(0 if absorbs else dims.n_text_layer)
        )
        heads = [[h for at, h in alignment_heads if at == n] for n in range(dims.n_text_layer)]
        self.blocks = nn.ModuleList(DecoderBlock(dims, own, absorbs=absorbs) for own in heads)
        self.ln = nn.LayerNorm(n_state)
        # The embedding again; a layer of its own, so that it can be packed.
        self.head = nn.Linear(n_state, dims.n_vocab)

    def write_cross(self, audio: Tensor, cache: KVCache, slots: Tensor) -> None:
        """Keys and values of windows, [batch, kept, n_audio_state], into the slots."""
        for layer, project in enumerate(self.cross_kv):
            kv = project(audio).unflatten(-1, (1, 2, self.n_head, -1))
            cache.write_cross(slice(layer, layer + 1), slots, kv)

    def forward(
        self, tokens: Tensor, cache: KVCache, rows: CacheRows, watch: Watch | None = None
    ) -> Tensor:
        x = self.embedding[tokens] + self.positions[rows.positions]  # [batch, ctx, n_text_state]
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer, rows, watch)
        return self.ln(x)

    def logits(self, x: Tensor) -> Tensor:
        """[rows, n_text_state] -> [rows, n_vocab], in float32."""
        return self.head(x).float()


class Network(nn.Module):
    """Encoder and decoder of one checkpoint on one device."""

    def __init__(
        self, dims: Dimensions, precision: Precision, alignment_heads: AlignmentHeads
    ) -> None:
        super().__init__()
        self.dims = dims
        self.encoder = Encoder(dims, precision.attention, rotates=precision.rotates)
        self.decoder = Decoder(dims, alignment_heads, absorbs=precision.absorbs)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder.embedding.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format between layers."""
        return self.decoder.embedding.dtype
