"""Whisper's encoder and decoder over a static KV cache, with the projections of a layer fused.

The same mathematics as openai-whisper (whisper/model.py): pre-norm transformer, GELU, sinusoidal
encoder positions, learned decoder positions, logits from the token embedding.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.catalogue import Dimensions
from models.engine.cache import CacheRows, KVCache


def split_heads(x: Tensor, n_head: int) -> Tensor:
    """[batch, ctx, state] -> [batch, head, ctx, state / head]."""
    return x.view(*x.shape[:-1], n_head, -1).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """[batch, head, ctx, state / head] -> [batch, ctx, state]."""
    return x.transpose(1, 2).flatten(2)


def sinusoids(length: int, channels: int) -> Tensor:
    """Encoder positions, [length, channels]: sines of rising wavelength, then the cosines."""
    step = math.log(10_000) / (channels // 2 - 1)
    rates = torch.exp(-step * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class MLP(nn.Module):
    """Linear, GELU, linear, over four times the state."""

    def __init__(self, n_state: int) -> None:
        super().__init__()
        self.up = nn.Linear(n_state, 4 * n_state)
        self.down = nn.Linear(4 * n_state, n_state)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x)))


class EncoderBlock(nn.Module):
    """Self-attention over a whole window, then the MLP."""

    def __init__(self, n_state: int, n_head: int) -> None:
        super().__init__()
        self.n_head = n_head
        self.attn_ln = nn.LayerNorm(n_state)
        self.attn_qkv = nn.Linear(n_state, 3 * n_state)
        self.attn_out = nn.Linear(n_state, n_state)
        self.mlp_ln = nn.LayerNorm(n_state)
        self.mlp = MLP(n_state)

    def forward(self, x: Tensor) -> Tensor:  # [batch, n_audio_ctx, n_audio_state]
        qkv = self.attn_qkv(self.attn_ln(x)).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_head) for part in qkv)
        x = x + self.attn_out(merge_heads(F.scaled_dot_product_attention(q, k, v)))
        return x + self.mlp(self.mlp_ln(x))


class Encoder(nn.Module):
    """Log-mel windows to audio states."""

    def __init__(self, dims: Dimensions) -> None:
        super().__init__()
        n_state = dims.n_audio_state
        self.conv1 = nn.Conv1d(dims.n_mels, n_state, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(n_state, n_state, kernel_size=3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.empty(dims.n_audio_ctx, n_state))
        self.blocks = nn.ModuleList(
            EncoderBlock(n_state, dims.n_audio_head) for _ in range(dims.n_audio_layer)
        )
        self.ln_post = nn.LayerNorm(n_state)

    def forward(self, mel: Tensor) -> Tensor:  # [batch, n_mels, 2 * n_audio_ctx]
        x = F.gelu(self.conv1(mel))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.positions
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)  # [batch, n_audio_ctx, n_audio_state]


class DecoderBlock(nn.Module):
    """Self-attention over the text so far, cross-attention over the window, then the MLP."""

    def __init__(self, n_state: int, n_head: int) -> None:
        super().__init__()
        self.n_head = n_head
        self.attn_ln = nn.LayerNorm(n_state)
        self.attn_qkv = nn.Linear(n_state, 3 * n_state)
        self.attn_out = nn.Linear(n_state, n_state)
        self.cross_ln = nn.LayerNorm(n_state)
        self.cross_q = nn.Linear(n_state, n_state)
        self.cross_out = nn.Linear(n_state, n_state)
        self.mlp_ln = nn.LayerNorm(n_state)
        self.mlp = MLP(n_state)

    def forward(self, x: Tensor, cache: KVCache, layer: int, rows: CacheRows) -> Tensor:
        qkv = self.attn_qkv(self.attn_ln(x)).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_head) for part in qkv)
        cache.write_self(layer, rows, k, v)
        k, v = cache.read_self(layer, rows)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=rows.mask)
        x = x + self.attn_out(merge_heads(attended))

        q = split_heads(self.cross_q(self.cross_ln(x)), self.n_head)
        k, v = cache.read_cross(layer, rows)
        x = x + self.cross_out(merge_heads(F.scaled_dot_product_attention(q, k, v)))
        return x + self.mlp(self.mlp_ln(x))


class Decoder(nn.Module):
    """Tokens to states, for rows that each stand at positions of their own."""

    def __init__(self, dims: Dimensions) -> None:
        super().__init__()
        n_state = dims.n_text_state
        self.n_layer, self.n_head = dims.n_text_layer, dims.n_text_head
        self.embedding = nn.Parameter(torch.empty(dims.n_vocab, n_state))
        self.positions = nn.Parameter(torch.empty(dims.n_text_ctx, n_state))
        # Keys and values of every layer in one product: [state] -> [layer, key/value, state].
        self.cross_kv = nn.Linear(dims.n_audio_state, dims.n_text_layer * 2 * n_state)
        self.blocks = nn.ModuleList(
            DecoderBlock(n_state, dims.n_text_head) for _ in range(dims.n_text_layer)
        )
        self.ln = nn.LayerNorm(n_state)

    def project_cross_kv(self, audio: Tensor) -> Tensor:
        """[batch, n_audio_ctx, n_audio_state] -> [layer, 2, batch, head, n_audio_ctx, head_dim]."""
        kv = self.cross_kv(audio).unflatten(-1, (self.n_layer, 2, self.n_head, -1))
        return kv.permute(2, 3, 0, 4, 1, 5)

    def forward(self, tokens: Tensor, cache: KVCache, rows: CacheRows) -> Tensor:
        x = self.embedding[tokens] + self.positions[rows.positions]  # [batch, ctx, n_text_state]
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer, rows)
        return self.ln(x)

    def logits(self, x: Tensor) -> Tensor:
        """[rows, n_text_state] -> [rows, n_vocab], in float32."""
        return F.linear(x, self.embedding).float()


class Network(nn.Module):
    """Encoder and decoder of one checkpoint on one device."""

    def __init__(self, dims: Dimensions) -> None:
        super().__init__()
        self.dims = dims
        self.encoder = Encoder(dims)
        self.decoder = Decoder(dims)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder.embedding.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return self.decoder.embedding.dtype
