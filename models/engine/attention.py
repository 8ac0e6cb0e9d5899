"""Attention over whole windows and over cached positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def split_heads(x: Tensor, n_head: int) -> Tensor:
    """[batch, ctx, state] -> [batch, head, ctx, state / head]."""
    return x.view(*x.shape[:-1], n_head, -1).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """[batch, head, ctx, state / head] -> [batch, ctx, state]."""
    return x.transpose(1, 2).flatten(2)


def attend_window(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Every position attends to every other, [batch, head, ctx, head_dim] each."""
    if q.device.type == "cpu" and q.dtype is torch.bfloat16:
        return _attend_by_head(q, k, v)
    return F.scaled_dot_product_attention(q, k, v)


def attend_cached(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Few queries over many positions; `mask` is [batch, 1, ctx, length], true where seen."""
    if q.device.type == "cpu" and k.dtype is torch.bfloat16:
        q = (q * q.shape[-1] ** -0.5).bfloat16()
        weights = (q @ k.transpose(-1, -2)).softmax(-1)
        return weights @ v
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _attend_by_head(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    # PyTorch's own kernel takes half as long again here. One head's scores at a time, in memory
    # that is written again and again, stay in the cache.
    ctx = q.shape[2]
    q = q * q.shape[-1] ** -0.5
    out = torch.empty(q.shape[0], ctx, q.shape[1], q.shape[3], dtype=q.dtype).transpose(1, 2)
    scores, weights = torch.empty(2, ctx, ctx, dtype=q.dtype)
    for row in range(q.shape[0]):
        for head in range(q.shape[1]):
            torch.mm(q[row, head], k[row, head].T, out=scores)
            torch.softmax(scores, -1, out=weights)
            out[row, head] = weights @ v[row, head]
    return out
