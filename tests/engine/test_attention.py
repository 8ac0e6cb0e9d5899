"""Attention in bfloat16, against PyTorch's own in float32."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from models.engine.attention import attend_cached, attend_window, merge_heads, split_heads


def heads(*shape: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, generator=generator) for _ in range(3)]


def test_split_heads_and_merge_heads_are_inverse() -> None:
    x = torch.randn(2, 7, 24)

    assert torch.equal(merge_heads(split_heads(x, 3)), x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attend_window_as_pytorch_does(dtype: torch.dtype) -> None:
    q, k, v = heads(2, 3, 300, 64)

    found = attend_window(q.to(dtype), k.to(dtype), v.to(dtype))

    exact = F.scaled_dot_product_attention(q, k, v)
    assert found.shape == exact.shape
    assert (found.float() - exact).abs().max() < (1e-5 if dtype is torch.float32 else 2e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attend_cached_as_pytorch_does(dtype: torch.dtype) -> None:
    q, k, v = heads(2, 3, 300, 64)

    found = attend_cached(q[:, :, :1], k.to(dtype), v.to(dtype))

    exact = F.scaled_dot_product_attention(q[:, :, :1], k, v)
    assert (found.float() - exact).abs().max() < (1e-5 if dtype is torch.float32 else 2e-2)
