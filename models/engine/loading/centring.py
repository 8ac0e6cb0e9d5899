"""Centring for quantization: linear layers with inputs around 0, the same function in int8.

Much of what comes into a layer of Whisper is the same for every position: nearly all that
cross-attention gives, and half of most else. A row in int8 has steps as coarse as its largest value
asks for, so that what tells positions apart gets few of them. What is the same is known beforehand:
it is taken off the inputs, and its product is in the layer's bias (Bai et al. 2019, *bias
correction* in reverse). Whatever gives the inputs takes it off for nothing: a layer norm by its
shift, attention by the values' bias, as its weights add up to 1.

Channels behind GELU that are far larger than the rest come first in an MLP, so that linear.py can
leave them in float32 (LLM.int8(), Dettmers et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.engine.loading.calibration import STATES, Inputs
from models.engine.network.absorbed_attention import AbsorbedCross
from models.engine.network.decoder import DecoderBlock, Network
from models.engine.network.encoder import EncoderBlock
from models.engine.network.linear import MLP


@torch.inference_mode()
def centre(network: Network, inputs: Mapping[str, Inputs]) -> None:
    """Centre the inputs of every linear layer, and put large channels of MLPs first, in place."""
    states = inputs[STATES].mean
    network.encoder.ln_post.bias.sub_(states)
    for side, blocks in (("encoder", network.encoder.blocks), ("decoder", network.decoder.blocks)):
        for number, block in enumerate(blocks):
            prefix = f"{side}.blocks.{number}."
            of_block = {
                name.removeprefix(prefix): statistics
                for name, statistics in inputs.items()
                if name.startswith(prefix)
            }
            _centre_block(block, of_block, states)
    _behind_norm(network.decoder.ln, network.decoder.head, inputs["decoder.head"].mean)


def _centre_block(block: nn.Module, inputs: Mapping[str, Inputs], states: Tensor) -> None:
    """`states` is the mean of the encoder's output, [n_audio_state]."""
    assert isinstance(block, EncoderBlock | DecoderBlock)
    _behind_norm(block.attn_ln, block.attn_qkv, inputs["attn_qkv"].mean)
    _behind_attention(block.attn_qkv, block.attn_out, inputs["attn_out"].mean)
    if isinstance(block, DecoderBlock) and block.cross:
        _behind_norm(block.cross_ln, block.cross_q, inputs["cross_q"].mean)
        _behind_cross(block.cross, block.cross_out, inputs["cross_out"].mean, states)
    _behind_norm(block.mlp_ln, block.mlp.up, inputs["mlp.up"].mean)
    _sort_channels(block.mlp, inputs["mlp.down"].largest)


def _behind_norm(norm: nn.LayerNorm, linear: nn.Module, mean: Tensor) -> None:
    """Take the mean, [in] of the layer behind, off a norm's shift."""
    norm.bias.sub_(mean)
    _add_product(linear, mean)


def _behind_attention(qkv: nn.Module, out: nn.Module, mean: Tensor) -> None:
    """Take the mean, [state], off the values' bias."""
    qkv.get_parameter("bias")[-len(mean) :].sub_(mean)
    _add_product(out, mean)


def _behind_cross(cross: AbsorbedCross, out: nn.Module, mean: Tensor, states: Tensor) -> None:
    """Take the mean, [state], off the values, and give back what centring takes off `states`."""
    cross.shift.add_((states @ cross.value)[:, None] - mean.view_as(cross.shift))
    _add_product(out, mean)


def _add_product(linear: nn.Module, mean: Tensor) -> None:
    """Add the product of the mean, [in], to the bias."""
    linear.get_parameter("bias").add_(linear.get_parameter("weight") @ mean)


def _sort_channels(mlp: MLP, largest: Tensor) -> None:
    """By their largest values, [4 * state]."""
    order = largest.argsort(descending=True)
    for name in ("weight", "bias"):
        parameter = mlp.up.get_parameter(name)
        parameter.copy_(parameter[order])
    weight = mlp.down.get_parameter("weight")
    weight.copy_(weight[:, order])
