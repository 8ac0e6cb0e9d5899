"""Whisper's audio encoder, with the projections of a layer fused.

The same mathematics as openai-whisper (whisper/model.py): two convolutions, sinusoidal positions,
pre-norm transformer, GELU.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.checkpoints.catalogue import Dimensions
from models.engine.network.attention import attend_window, merge_heads, split_heads
from models.engine.network.linear import MLP
from models.engine.network.sparse_padding import END, EncoderPositions


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

    def forward(self, states: Tensor, log_weight: Tensor | None) -> Tensor:
        # [batch, positions, state] -> the same; [positions]
        qkv = self.attn_qkv(self.attn_ln(states)).to(self.attn_dtype).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_head) for part in qkv)
        states = states + self.attn_out(merge_heads(attend_window(q, k, v, log_weight)))
        return states + self.mlp(self.mlp_ln(states))


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

    def stages(self, mel: Tensor, positions: EncoderPositions) -> Iterator[Tensor]:
        """The states of [batch, n_mels, 2 * n_audio_ctx], from layer to layer.

        The last is the encoder's output, [batch, positions, n_audio_state].
        """
        states = self._convolved(mel, positions)
        states = states if self.entry is None else self.entry(states)
        states = states + self.positions[positions.index]
        yield states
        for block in self.blocks:
            states = block(states, positions.log_weight)
            yield states
        yield self.ln_post(states)

    def _convolved(self, mel: Tensor, positions: EncoderPositions) -> Tensor:
        """[batch, n_mels, frames] -> [batch, positions, n_audio_state]."""
        if positions.log_weight is None:
            return self._convolve(mel)
        dense = positions.dense
        # Two positions more than asked for: what the convolutions see beyond is the window's own.
        sound = self._convolve(mel[..., : 2 * (dense + 2)])[:, :dense]
        end = self._convolve(mel[..., -2 * (END + 2) :])[:, 2:]
        between = end[:, :1].expand(-1, positions.size - dense - END, -1)
        return torch.cat([sound, between, end], dim=1)

    def _convolve(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, frames] -> [batch, frames / 2, n_audio_state]."""
        # As it lies in memory, so do all that is added to it.
        return F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2).contiguous()
