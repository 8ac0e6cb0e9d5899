"""Cross-attention's projections by layer, the values' bias in the layer behind; on any device."""

from __future__ import annotations

from typing import cast

import torch

from models.engine.cuda_kernels.cross_projections import cross_weights, outputs_with_values_bias
from models.engine.cuda_kernels.fused_step import bytes_per_slot
from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Decoder, DecoderBlock
from models.engine.network.precision import Precision, resolve_precision
from tests.tiny import TINY, tiny_weights

CPU = torch.device("cpu")
LAYERS, STATE = 5, 32


def decoder(layers_per_projection: int) -> Decoder:
    weights = tiny_weights(n_text_layer=LAYERS)
    precision = resolve_precision("float32", CPU)
    return load_network(
        weights, CPU, precision, layers_per_projection=layers_per_projection
    ).decoder


def test_layers_together_have_the_weights_that_each_has_alone() -> None:
    alone, together = cross_weights(decoder(1)), cross_weights(decoder(2))

    assert len(alone) == LAYERS
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


def merged(heads: torch.Tensor) -> torch.Tensor:
    """[head, rows, head_dim] -> [rows, state]."""
    return heads.transpose(0, 1).flatten(1)


@torch.inference_mode()
def test_absorbed_attention_with_the_bias_behind_is_the_same_function() -> None:
    net = decoder(2)
    torch.manual_seed(0)
    states, weights = torch.randn(40, STATE), torch.randn(2, 3, 40).softmax(-1)
    projected = torch.cat([project(states) for project in net.cross_kv], dim=-1)
    by_layer = projected.view(40, LAYERS, 2, 2, -1)
    for layer, output in enumerate(outputs_with_values_bias(net)):
        values = by_layer[:, layer, 1].transpose(0, 1)  # [head, positions, head_dim]
        behind = cast(DecoderBlock, net.blocks[layer]).cross_out
        expected = behind(merged(weights @ values))
        absorbed = weights @ states @ cross_weights(net)[layer][1].mT

        torch.testing.assert_close(output(merged(absorbed)), expected, atol=1e-5, rtol=1e-5)
        assert output.weight is behind.weight


def test_bytes_of_a_slot_are_those_of_a_windows_states() -> None:
    half = Precision("float16", torch.float16, torch.float16)

    assert bytes_per_slot(TINY, half) == 2 * TINY.n_audio_ctx * TINY.n_audio_state
    assert bytes_per_slot(TINY, resolve_precision("float32", CPU)) == 0
