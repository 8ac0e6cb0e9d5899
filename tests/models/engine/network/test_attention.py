"""Attention in bfloat16, against PyTorch's own in float32."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from models.engine.network.attention import attend_audio, attend_window, merge_heads, split_heads

ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


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
def test_attend_audio_as_pytorch_does(dtype: torch.dtype) -> None:
    q, k, v = heads(2, 3, 300, 64)

    found = attend_audio(q[:, :, :1], k.to(dtype), v.to(dtype))

    exact = F.scaled_dot_product_attention(q[:, :, :1], k, v)
    assert (found.float() - exact).abs().max() < (1e-5 if dtype is torch.float32 else 2e-2)


@pytest.mark.parametrize(
    ("device", "dtype"),
    [
        ("cpu", torch.float32),
        ("cpu", torch.bfloat16),
        pytest.param("cuda", torch.float16, marks=ON_GPU),
        pytest.param("cuda", torch.bfloat16, marks=ON_GPU),
    ],
)
def test_attend_weighted_position_counts_so_many_times(device: str, dtype: torch.dtype) -> None:
    q, k, v = (part.to(device, dtype) for part in heads(1, 2, 40, 64))
    weights = torch.tensor([1.0] * 30 + [4.0] * 10)
    repeated = torch.arange(40).repeat_interleave(weights.long())
    expected = F.scaled_dot_product_attention(
        q.float(), k[:, :, repeated].float(), v[:, :, repeated].float()
    )

    for attend in (attend_window, attend_audio):
        found = attend(q, k, v, weights.log().to(device))
        assert (found.float() - expected).abs().max() < (1e-5 if dtype is torch.float32 else 3e-2)
