"""Cross-attention's projections by layer, for weight absorption in the queries."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from models.engine.network.decoder import Decoder, DecoderBlock


def cross_weights(decoder: Decoder) -> list[Tensor]:
    """Each layer's projections of keys and values, [2, head, head_dim, n_audio_state], as views."""
    return _by_layer(decoder, "weight")


def outputs_with_values_bias(decoder: Decoder) -> list[nn.Linear]:
    """Each layer's `cross_out`, [..., n_text_state] -> the same, for values that have no bias yet.

    The values' bias comes through attention whole, as weights add up to 1: its product is added to
    the bias of the layer behind, whose weight is shared.
    """
    biases = [bias[1].flatten() for bias in _by_layer(decoder, "bias")]
    blocks = [cast(DecoderBlock, block) for block in decoder.blocks]
    return [_with_bias(block.cross_out, bias) for block, bias in zip(blocks, biases, strict=True)]


def _by_layer(decoder: Decoder, part: str) -> list[Tensor]:
    """[2, head, head_dim, ...] of each layer, out of projections of several."""
    groups = (linear.get_parameter(part) for linear in decoder.cross_kv)
    return [layer for group in groups for layer in group.unflatten(0, decoder.cross_shape)]


def _with_bias(linear: nn.Linear, values_bias: Tensor) -> nn.Linear:
    """`linear` of inputs that are short of `values_bias`, [in]."""
    product = linear.weight.float() @ values_bias.float()
    bias = (linear.bias.float() + product).to(linear.bias.dtype)
    out = nn.Linear(linear.in_features, linear.out_features, device="meta")
    out.weight = linear.weight
    out.bias = nn.Parameter(bias, requires_grad=False)
    return out
