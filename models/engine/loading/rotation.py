"""Rotation of the residual stream into another basis, where int8 loses less: the same function.

A few channels of Whisper's residual stream are far larger than the rest, and a row in int8 has
steps as coarse as its largest value asks for. An orthogonal basis spreads them over all channels
(QuaRot, Ashkboos et al. 2024); it costs nothing, as the layers around are multiplied by it once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

_NORMS_OF_BLOCKS = {"attn_ln": "attn_qkv", "cross_ln": "cross_q", "mlp_ln": "mlp.up"}
_WRITERS = ("attn_out", "cross_out", "mlp.down")


def basis(n_state: int) -> Tensor:
    """An orthogonal matrix without large entries, [n_state, n_state].

    It keeps the mean where it is, so that layer norms work as before: cosine transform, random
    signs for all but the mean, and back.
    """
    k = torch.arange(n_state, dtype=torch.float64)
    cosines = torch.cos(math.pi / n_state * k[:, None] * (k[None, :] + 0.5))
    cosines[0] *= math.sqrt(0.5)
    cosines *= math.sqrt(2 / n_state)
    generator = torch.Generator().manual_seed(0)
    signs = torch.randint(0, 2, (n_state, 1), generator=generator) * 2.0 - 1
    signs[0] = 1.0
    return (cosines.T @ (signs * cosines)).float()


def rotated(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's weights, names and shapes as in `Network`, with both residual streams rotated.

    Layer norms lose their own scales and shifts to the layers behind them.
    """
    out = {name: tensor.float() for name, tensor in weights.items()}
    turn = basis(out["decoder.embedding"].shape[1])
    out["encoder.entry.weight"] = turn
    for name in ("encoder.positions", "decoder.positions", "decoder.embedding"):
        out[name] = out[name] @ turn.T
    for name in list(out):
        module, _, part = name.rpartition(".")
        if module.endswith(_WRITERS):
            out[name] = turn @ out[name] if part == "weight" else out[name] @ turn.T
    for norm, layer in _norms_and_layers(out):
        _fold(out, norm, layer, turn)
    for norm in {norm for norm, _ in _norms_and_layers(out)}:
        out[f"{norm}.weight"] = torch.ones_like(out[f"{norm}.weight"])
        out[f"{norm}.bias"] = torch.zeros_like(out[f"{norm}.bias"])
    return out


def _norms_and_layers(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Every layer norm with each linear layer that reads it."""
    yield "decoder.ln", "decoder.head"
    for name in weights:
        module, _, part = name.rpartition(".")
        if part != "weight":
            continue
        parent, _, last = module.rpartition(".")
        if last in _NORMS_OF_BLOCKS:
            yield module, f"{parent}.{_NORMS_OF_BLOCKS[last]}"
        elif parent == "decoder.cross_kv":
            yield "encoder.ln_post", module


def _fold(weights: dict[str, Tensor], norm: str, layer: str, turn: Tensor) -> None:
    """A norm's scale and shift, and the basis [n_state, n_state], into the layer behind."""
    weight = weights[f"{layer}.weight"]
    weights[f"{layer}.bias"] = weights[f"{layer}.bias"] + weight @ weights[f"{norm}.bias"]
    weights[f"{layer}.weight"] = (weight * weights[f"{norm}.weight"]) @ turn.T
