"""The encoder in every pair of formats that trials of a CPU may end with, against float32."""

from __future__ import annotations

import copy

import pytest
import torch

from models.engine.network.encoder import EncoderBlock
from models.engine.network.linear import LinearKind, pack_linears
from models.engine.network.sparse_padding import encoder_positions
from tests.models.engine.network.test_linear import needs_bfloat16, needs_int8, relative_error

N_STATE = 128


@pytest.mark.parametrize("attention", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "kind",
    [pytest.param("int8", marks=needs_int8), pytest.param("bfloat16", marks=needs_bfloat16)],
)
def test_encoder_block_is_near_the_exact_one(attention: torch.dtype, kind: LinearKind) -> None:
    torch.manual_seed(0)
    kept = encoder_positions(200, 1500, "thin", torch.device("cpu"))
    exact, x = EncoderBlock(N_STATE, 2, torch.float32), torch.randn(1, kept.size, N_STATE)
    packed = copy.deepcopy(exact)
    packed.attn_dtype = attention
    pack_linears(packed, kind)

    with torch.inference_mode():
        found, expected = (block(x, kept.log_weight) for block in (packed, exact))

    assert found.dtype is torch.float32
    # Without what goes past the block, of which there is more than of what it adds.
    assert relative_error(found - x, expected - x) < 0.02
