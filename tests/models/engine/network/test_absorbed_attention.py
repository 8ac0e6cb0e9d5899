"""Cross-attention over a window's states, against the same over its keys and values."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.engine.cpu.cpu_features import has_int8_linear
from models.engine.network.absorbed_attention import (
    AbsorbedCross,
    absorbed,
    with_values_bias_behind,
)
from models.engine.network.attention import attend_audio, split_heads
from models.engine.network.packed_states import PackedEncoderStates
from models.engine.network.sparse_padding import EncoderPositions, encoder_positions

pytestmark = pytest.mark.skipif(not has_int8_linear(), reason="this CPU has no FBGEMM")

CPU = torch.device("cpu")
N_AUDIO, N_STATE, N_HEAD = 96, 64, 4


def random_layer() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        "decoder.cross_kv.0.weight": torch.randn(2 * N_STATE, N_AUDIO) * 0.3,
        "decoder.cross_kv.0.bias": torch.randn(2 * N_STATE),
        "decoder.blocks.0.cross_out.weight": torch.randn(32, N_STATE) / 8,
        "decoder.blocks.0.cross_out.bias": torch.randn(32),
    }


def exact(layer: dict[str, Tensor], q: Tensor, states: Tensor, kept: EncoderPositions) -> Tensor:
    kv = states @ layer["decoder.cross_kv.0.weight"].T + layer["decoder.cross_kv.0.bias"]
    k, v = (split_heads(part[None], N_HEAD) for part in kv.chunk(2, dim=-1))
    return project(layer, attend_audio(q, k, v, kept.log_weight))


def project(layer: dict[str, Tensor], attended: Tensor) -> Tensor:
    merged = attended.transpose(1, 2).flatten(2)
    weight = layer["decoder.blocks.0.cross_out.weight"]
    return merged @ weight.T + layer["decoder.blocks.0.cross_out.bias"]


def cross_of(layer: dict[str, Tensor]) -> AbsorbedCross:
    cross = AbsorbedCross(N_AUDIO, N_STATE, N_HEAD)
    parts = {name: layer[f"decoder.blocks.0.cross.{name}"] for name in ("key", "value", "shift")}
    cross.load_state_dict(parts)
    return cross.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("frames", [300, 303, 3000])
@pytest.mark.parametrize("ctx", [1, 3])
def test_absorbed_cross_hears_what_keys_and_values_say(frames: int, ctx: int) -> None:
    layer = random_layer()
    kept = encoder_positions(frames, 1500, "thin", CPU)
    # So many that chance plays no part: the error of a single one is between 0.006 and 0.029.
    rows = 16
    states, q = torch.randn(kept.size, N_AUDIO), torch.randn(rows, N_HEAD, ctx, N_STATE // N_HEAD)
    folded = absorbed(layer, N_HEAD)

    with torch.inference_mode():
        found = project(folded, cross_of(folded)(q, [PackedEncoderStates(states, kept)] * rows)[0])
        wanted = torch.cat([exact(layer, row, states, kept) for row in torch.split(q, 1)])
    assert float((found - wanted).norm() / wanted.norm()) < 0.02


def test_values_bias_behind_is_the_same_function() -> None:
    layer = random_layer()
    kept = encoder_positions(3000, 1500, "full", CPU)
    states, q = torch.randn(kept.size, N_AUDIO), torch.randn(1, N_HEAD, 1, N_STATE // N_HEAD)
    handed_on = with_values_bias_behind(layer)

    assert not handed_on["decoder.cross_kv.0.bias"][N_STATE:].any()
    found, wanted = (exact(each, q, states, kept) for each in (handed_on, layer))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("ctx", [1, 3])
def test_absorbed_cross_row_does_not_depend_on_the_others(ctx: int) -> None:
    cross = random_cross()
    kept = [encoder_positions(150 + 190 * row, 1500, "thin", CPU) for row in range(16)]
    windows = [PackedEncoderStates(torch.randn(k.size, 512), k) for k in kept]
    q = torch.randn(16, 8, ctx, 64)

    with torch.inference_mode():
        everyone, _ = cross(q, windows)
        for few in (1, 2, 3, 5, 8, 13):
            assert torch.equal(cross(q[:few], windows[:few])[0], everyone[:few])
            assert torch.equal(cross(q[-few:], windows[-few:])[0], everyone[-few:])


def random_cross() -> AbsorbedCross:
    """Of the size that `base` has."""
    torch.manual_seed(0)
    cross = AbsorbedCross(512, 512, 8)
    parts = {name: torch.randn(part.shape) / 16 for name, part in cross.named_parameters()}
    cross.load_state_dict(parts)
    return cross.requires_grad_(requires_grad=False)


def test_absorbed_leaves_no_keys_and_values() -> None:
    assert not [name for name in absorbed(random_layer(), N_HEAD) if "cross_kv" in name]
