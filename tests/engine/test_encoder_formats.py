"""The encoder in every pair of formats that trials of a CPU may end with, against float32."""

from __future__ import annotations

import copy

import pytest
import torch

from models.engine.instructions import has_bfloat16_linear, has_int8_linear
from models.engine.linear import LinearKind, pack_linears
from models.engine.network import EncoderBlock
from models.engine.padding import kept_positions

N_STATE = 128


def needs(known: bool) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not known, reason="PyTorch has no such GEMM for this CPU")


@pytest.mark.parametrize("attention", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("int8", marks=needs(has_int8_linear())),
        pytest.param("bfloat16", marks=needs(has_bfloat16_linear())),
    ],
)
def test_encoder_block_is_near_the_exact_one(attention: torch.dtype, kind: LinearKind) -> None:
    torch.manual_seed(0)
    kept = kept_positions(200, 1500, "thin", torch.device("cpu"))
    exact, x = EncoderBlock(N_STATE, 2, torch.float32), torch.randn(1, kept.size, N_STATE)
    packed = copy.deepcopy(exact)
    packed.attn_dtype = attention
    pack_linears(packed, kind)

    with torch.inference_mode():
        found, expected = (block(x, kept.log_weight) for block in (packed, exact))

    assert found.dtype is torch.float32
    # Without what goes past the block, of which there is more than of what it adds.
    assert (found - expected).norm() / (expected - x).norm() < 0.02
