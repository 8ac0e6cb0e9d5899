"""Linear layers in int8 and bfloat16, against float32 ones."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from models.engine.cpu.cpu_features import has_bfloat16_linear, has_int8_linear
from models.engine.network import linear
from models.engine.network.linear import MLP, BFloat16Linear, Int8Linear, pack_linears

needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16_linear(), reason="this CPU has no bfloat16 GEMM"
)
needs_int8 = pytest.mark.skipif(not has_int8_linear(), reason="this CPU has no FBGEMM")


def relative_error(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.float() - exact).norm() / exact.norm())


@needs_int8
@pytest.mark.parametrize("bias", [True, False])
def test_int8_linear_is_near_the_exact_one(bias: bool) -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(512, 768, bias=bias), torch.randn(3, 5, 512)

    with torch.inference_mode():
        assert relative_error(Int8Linear(linear)(x), linear(x)) < 0.02


@needs_int8
def test_int8_linear_row_does_not_depend_on_the_others() -> None:
    torch.manual_seed(0)
    packed, x = Int8Linear(nn.Linear(64, 96)), torch.randn(1, 64)
    crowd = torch.cat([x, 1000 * torch.randn(7, 64)])

    with torch.inference_mode():
        assert torch.equal(packed(crowd)[:1], packed(x))


@needs_int8
def test_int8_linear_row_of_zeros_gives_the_bias() -> None:
    linear = nn.Linear(64, 96)

    with torch.inference_mode():
        assert torch.equal(Int8Linear(linear)(torch.zeros(1, 64))[0], linear.bias)


@needs_bfloat16
def test_bfloat16_linear_is_near_the_exact_one() -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(512, 768), torch.randn(3, 5, 512)

    with torch.inference_mode():
        assert relative_error(BFloat16Linear(linear)(x), linear(x)) < 0.01


@needs_bfloat16
def test_pack_linears_mlp_keeps_its_gelu() -> None:
    torch.manual_seed(0)
    mlp, x = MLP(64), torch.randn(3, 64)
    with torch.inference_mode():
        exact = mlp(x)
        pack_linears(mlp, "bfloat16")

        assert isinstance(mlp.activation, nn.Identity)
        assert relative_error(mlp(x), exact) < 0.02


def test_pack_linears_plain_leaves_everything() -> None:
    mlp = MLP(64)
    pack_linears(mlp, "plain")

    assert isinstance(mlp.up, nn.Linear)


@needs_int8
def test_what_pytorch_announces_is_heard_before_there_are_several_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quantized, heard_in = linear._quantized, []  # noqa: SLF001

    def noted(weight: torch.Tensor) -> torch.Tensor:
        heard_in.append(threading.current_thread())
        return quantized(weight)

    monkeypatch.setattr(linear, "_quantized", noted)
    linear.quantized_linear_deprecation.cache_clear()
    pack_linears(nn.Sequential(nn.Linear(16, 16)).requires_grad_(requires_grad=False), "int8")

    assert [thread is threading.main_thread() for thread in heard_in] == [True, False]
