"""Scaled dot-product attention over whole windows and over cached positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def split_heads(states: Tensor, n_head: int) -> Tensor:
    """[batch, ctx, state] -> [batch, head, ctx, state / head]."""
    return states.view(*states.shape[:-1], n_head, -1).transpose(1, 2)


def merge_heads(heads: Tensor) -> Tensor:
    """[batch, head, ctx, state / head] -> [batch, ctx, state]."""
    return heads.transpose(1, 2).flatten(2)


def attend_window(q: Tensor, k: Tensor, v: Tensor, log_weight: Tensor | None = None) -> Tensor:
    """Self-attention over a window, [batch, head, ctx, head_dim] each.

    `log_weight`, [ctx], is added to the scores: a position of weight 8 counts eight times.
    """
    if q.device.type == "cpu" and q.dtype is torch.bfloat16:
        return _attend_by_head(q, k, v, log_weight)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=_as_mask(log_weight, q.dtype))


def attend_text(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Few queries over the text so far, [batch, head, ctx, head_dim].

    `k` and `v` are [batch, head, length, head_dim]; `mask` is [batch, 1, ctx, length], true where
    seen, or a number to be added.
    """
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def attend_audio(q: Tensor, k: Tensor, v: Tensor, log_weight: Tensor | None = None) -> Tensor:
    """Few queries over a window, [batch, head, ctx, head_dim].

    `k` and `v` are [batch, head, positions, head_dim], `log_weight` [positions] as above.
    """
    if q.device.type == "cpu" and k.dtype is torch.bfloat16:
        scores = (q * q.shape[-1] ** -0.5).bfloat16() @ k.transpose(-1, -2)
        if log_weight is not None:
            scores = scores.float() + log_weight
        return (scores.softmax(-1).bfloat16() @ v).to(q.dtype)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=_as_mask(log_weight, q.dtype))


def _as_mask(log_weight: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    # [positions] -> [1, 1, 1, positions], in the queries' format: GPUs' kernels take no other.
    return None if log_weight is None else log_weight[None, None, None].to(dtype)


def _attend_by_head(q: Tensor, k: Tensor, v: Tensor, log_weight: Tensor | None) -> Tensor:
    """As `attend_window`, [batch, head, ctx, head_dim] each."""
    # PyTorch's own kernel takes half as long again here. One head's scores at a time, in memory
    # that is written again and again, stay in the cache.
    ctx = q.shape[2]
    q = q * q.shape[-1] ** -0.5
    bias = q.new_zeros(ctx) if log_weight is None else log_weight.to(q.dtype)
    out = torch.empty(q.shape[0], ctx, q.shape[1], q.shape[3], dtype=q.dtype).transpose(1, 2)
    scores, weights = torch.empty(2, ctx, ctx, dtype=q.dtype)
    for row in range(q.shape[0]):
        for head in range(q.shape[1]):
            if log_weight is None:
                torch.mm(q[row, head], k[row, head].T, out=scores)
            else:
                torch.addmm(bias, q[row, head], k[row, head].T, out=scores)
            torch.softmax(scores, -1, out=weights)
            out[row, head] = weights @ v[row, head]
    return out
