"""Quantized linear layers for CPUs, in int8 or bfloat16, their weights packed once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.engine.cpu.cpu_features import multiplies_int8

LinearKind = Literal["plain", "bfloat16", "int8"]

_LEVELS = 127
# Two products of a byte below 256 with weights that add up to this fit into 16 bits.
_PAIR_LEVELS = 128
# The rows that the layout of bfloat16 weights is chosen for: those of a window.
_ROWS = 1500
_TINY = torch.finfo(torch.float32).tiny
# So many channels behind GELU stay in float32, the first ones (centring.py).
EXACT = 16
# Rows that BLAS multiplies together: of fewer it adds up in another order.
_TILE = 8


@dataclass(frozen=True)
class InputRange:
    """Dynamic quantization of inputs: byte `zero` is 0, `levels` above it a row's largest value.

    A row counts as at least as large as `minimum`. Where `signed` is false nothing is smaller than
    the bytes below `zero` can say.
    """

    levels: int
    zero: int
    minimum: float = _TINY
    signed: bool = True

    def size(self, inputs: Tensor) -> Tensor:
        """The value of `levels` in each row, [..., in] -> [..., 1]."""
        largest = inputs.amax(-1, keepdim=True)
        if self.signed:
            # Faster than abs(), which would write all of it.
            largest = torch.maximum(largest, -inputs.amin(-1, keepdim=True))
        return largest.clamp_min_(self.minimum)


SYMMETRIC = InputRange(127, 128)
# GELU gives nothing below -0.17: what is positive gets nearly all the bytes.
AFTER_GELU = InputRange(223, 32, minimum=0.17 * 223 / 32, signed=False)


class MLP(nn.Module):
    """Linear, GELU, linear, over four times the state."""

    def __init__(self, n_state: int) -> None:
        super().__init__()
        self.up: nn.Module = nn.Linear(n_state, 4 * n_state)
        self.activation: nn.Module = nn.GELU()
        self.down: nn.Module = nn.Linear(4 * n_state, n_state)

    def forward(self, states: Tensor) -> Tensor:  # [..., state] -> the same
        return self.down(self.activation(self.up(states)))


class Int8Linear(nn.Module):
    """Weights in int8 with a scale for each output, inputs in int8 with a scale for each row.

    A row's result depends on that row alone: what else is in the batch cannot change a text.
    """

    def __init__(self, linear: nn.Linear, inputs: InputRange = SYMMETRIC) -> None:
        super().__init__()
        self.weight = PackedInt8(linear.weight.float(), inputs)
        self.packed_bytes = linear.weight.numel()
        self.bias = linear.bias

    def forward(self, inputs: Tensor) -> Tensor:  # [..., in] any float -> [..., out] float32
        inputs = inputs.float()
        size = self.weight.inputs.size(inputs)
        out = self.weight.multiply(inputs / size)
        return out.mul_(size) if self.bias is None else torch.addcmul(self.bias, out, size, out=out)


class SplitInt8Linear(nn.Module):
    """Int8 but for the first `EXACT` channels of the input, which are multiplied in float32.

    Channels that are far larger than the rest would leave the rest hardly any of a row's steps.
    """

    def __init__(self, linear: nn.Linear, inputs: InputRange) -> None:
        super().__init__()
        weight = linear.weight.float()
        self.exact = nn.Parameter(weight[:, :EXACT].T.contiguous(), requires_grad=False)
        self.weight = PackedInt8(weight[:, EXACT:].contiguous(), inputs)
        self.packed_bytes = linear.weight.numel() - self.exact.numel()
        self.bias = linear.bias

    def forward(self, inputs: Tensor) -> Tensor:  # [..., in] any float -> [..., out] float32
        large, rest = inputs.float().tensor_split((EXACT,), dim=-1)
        size = self.weight.inputs.size(rest)
        out = self.weight.multiply(rest / size)
        return torch.addcmul(self._multiply_exactly(large), out, size, out=out)

    def _multiply_exactly(self, large: Tensor) -> Tensor:  # [..., EXACT] -> [..., out]
        rows = large.flatten(0, -2)
        padded = F.pad(rows, (0, 0, 0, -len(rows) % _TILE))
        product = torch.addmm(self.bias, padded, self.exact)[: len(rows)]
        return product.unflatten(0, large.shape[:-1])


class PackedInt8:
    """A matrix [out, in] in int8, laid out for FBGEMM, that is multiplied by bytes."""

    def __init__(self, weight: Tensor, inputs: InputRange) -> None:
        self.inputs = inputs
        self._packed = torch.ops.quantized.linear_prepack(_quantized(weight), None)

    def multiply(self, rows: Tensor) -> Tensor:
        """Rows of size 1, [..., in] float32, become [..., out] float32."""
        out: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows, 1 / self.inputs.levels, self.inputs.zero, self._packed
        )
        return out


def _quantized(weight: Tensor) -> Tensor:
    """Per-channel int8 of [out, in]."""
    scales = weight_scales(weight)
    zeros = torch.zeros(len(scales), dtype=torch.long)
    return torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)


@cache
def quantized_linear_deprecation() -> None:
    """Use up PyTorch's one deprecation warning; the pinned release has quantized tensors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*quantize_per_channel.*deprecated")
        _quantized(torch.ones(1, 2))


def weight_scales(weight: Tensor) -> Tensor:
    """Quantization scale of each output, [out], for weights [out, in].

    Without VNNI a CPU adds the products of two neighbours in 16 bits, and what does not fit is cut
    off: there two neighbours of one sign must be small enough together.
    """
    scales = weight.abs().amax(1) / _LEVELS
    if not multiplies_int8():
        pairs = (weight[:, :-1:2] + weight[:, 1::2]).abs().amax(1)
        scales = torch.maximum(scales, pairs / _PAIR_LEVELS)
    return scales.clamp_min(_TINY)


class BFloat16Linear(nn.Module):
    """Weights in bfloat16, laid out for oneDNN once; GELU, where asked for, on the way out."""

    def __init__(self, linear: nn.Linear, activation: str = "none") -> None:
        super().__init__()
        weight = linear.weight.bfloat16()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)  # noqa: SLF001
        self.bias = None if linear.bias is None else linear.bias.bfloat16()
        self.packed_bytes = 2 * sum(tensor.numel() for tensor in linear.parameters())
        self.activation = activation

    def forward(self, inputs: Tensor) -> Tensor:  # [..., in] any float -> [..., out] bfloat16
        return torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
            inputs.bfloat16(), self.packed, self.bias, self.activation, [], "none"
        )


def pack_linears(module: nn.Module, kind: LinearKind) -> None:
    """Replace every linear layer under `module` by one of that kind, in place."""
    if kind == "plain":
        return
    # Before there are several threads: the filters of warnings are the process' own.
    quantized_linear_deprecation()
    # Packing takes one core for each layer, of those that this thread may compute with.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for _ in threads.map(lambda packing: packing(), list(_packings(module, kind))):
            pass


def _packings(module: nn.Module, kind: LinearKind) -> Iterator[Callable[[], None]]:
    if isinstance(module, MLP):
        yield partial(_pack_mlp, module, kind)
        return
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            yield partial(_pack, module, name, child, kind)
        else:
            yield from _packings(child, kind)


def _pack(module: nn.Module, name: str, linear: nn.Linear, kind: LinearKind) -> None:
    setattr(module, name, Int8Linear(linear) if kind == "int8" else BFloat16Linear(linear))


def _pack_mlp(mlp: MLP, kind: LinearKind) -> None:
    assert isinstance(mlp.up, nn.Linear)
    assert isinstance(mlp.down, nn.Linear)
    if kind == "int8":
        mlp.up, mlp.down = Int8Linear(mlp.up), SplitInt8Linear(mlp.down, AFTER_GELU)
    else:
        mlp.up, mlp.activation = BFloat16Linear(mlp.up, "gelu"), nn.Identity()
        mlp.down = BFloat16Linear(mlp.down)
