"""Linear layers that multiply in int8 or bfloat16 on a CPU, their weights packed once."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from models.engine.precision import LinearKind

_LEVELS = 127
_ZERO_POINT = 128
# The rows that the layout of bfloat16 weights is chosen for: those of a window.
_ROWS = 1500


class MLP(nn.Module):
    """Linear, GELU, linear, over four times the state."""

    def __init__(self, n_state: int) -> None:
        super().__init__()
        self.up: nn.Module = nn.Linear(n_state, 4 * n_state)
        self.activation: nn.Module = nn.GELU()
        self.down: nn.Module = nn.Linear(4 * n_state, n_state)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.activation(self.up(x)))


class Int8Linear(nn.Module):
    """Weights in int8 with a scale for each output, inputs in int8 with a scale for each row.

    A row's result depends on that row alone: what else is in the batch cannot change a text.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.float()
        scales = weight.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / _LEVELS
        zeros = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():
            # PyTorch announces the end of quantized tensors; the pinned release has them.
            warnings.filterwarnings("ignore", message=".*quantize_per_channel.*deprecated")
            quantized = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(quantized, None)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:  # [..., in] float32 -> [..., out] float32
        size = x.abs().amax(-1, keepdim=True).clamp_min_(torch.finfo(torch.float32).tiny)
        y = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            x / size, 1 / _LEVELS, _ZERO_POINT, self.packed
        )
        return y.mul_(size) if self.bias is None else torch.addcmul(self.bias, y, size)


class BFloat16Linear(nn.Module):
    """Weights in bfloat16, laid out for oneDNN once; GELU, where asked for, on the way out."""

    def __init__(self, linear: nn.Linear, activation: str = "none") -> None:
        super().__init__()
        weight = linear.weight.bfloat16()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)  # noqa: SLF001
        self.bias = None if linear.bias is None else linear.bias.bfloat16()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:  # [..., in] any float -> [..., out] bfloat16
        return torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
            x.bfloat16(), self.packed, self.bias, self.activation, [], "none"
        )


def pack_linears(module: nn.Module, kind: LinearKind) -> None:
    """Replace every linear layer under `module` by one of that kind, in place."""
    if kind == "plain":
        return
    if isinstance(module, MLP) and kind == "bfloat16":
        assert isinstance(module.up, nn.Linear)
        module.up, module.activation = BFloat16Linear(module.up, "gelu"), nn.Identity()
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child) if kind == "int8" else BFloat16Linear(child))
        else:
            pack_linears(child, kind)
