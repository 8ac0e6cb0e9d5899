"""Linear layers fused with norm, GELU and residual, for few rows in one kernel each (linear.cu)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.engine.cuda_kernels.compiler import Kernel
from models.engine.network.decoder import DecoderBlock

_THREADS = 128
_WARPS = 4
# A warp reads two columns at once where its registers hold them, so that all of a layer is on its
# way together.
_NARROW = 2048


@dataclass(frozen=True)
class Layer:
    """A linear layer with the norm before it, and with GELU behind it if it `activates`."""

    linear: nn.Linear
    norm: nn.LayerNorm | None = None
    activates: bool = False


# Rows through a layer, [rows, in] -> [rows, out], and the residual [rows, out], if any.
Multiply = Callable[[Tensor, Layer, Tensor | None], Tensor]


class FewRows:
    """Multiplies so many rows, each layer in one kernel."""

    def __init__(self, rows: int, state: int, dtype: torch.dtype, device: torch.device) -> None:
        self._rows, self._dtype, self._device = rows, dtype, device
        kinds = ((state, True), (state, False), (4 * state, False))
        self._kernels = {kind: self._kernel(*kind) for kind in kinds}

    def __call__(self, rows: Tensor, layer: Layer, residual: Tensor | None) -> Tensor:
        """[rows, in] -> [rows, out], added to the residual [rows, out]."""
        linear, norm = layer.linear, layer.norm
        out = rows.new_empty(self._rows, linear.out_features)
        gain, shift = (norm.weight, norm.bias) if norm else (rows, rows)
        added = rows if residual is None else residual
        tensors = (rows, gain, shift, linear.weight, linear.bias, added, out)
        flags = (int(layer.activates), int(residual is not None))
        columns = _WARPS * _columns(linear.in_features)
        grid = (-(-linear.out_features // columns), 1, 1)
        kernel = self._kernels[linear.in_features, norm is not None]
        kernel.launch(grid, _THREADS, (*tensors, linear.out_features, *flags))
        return out

    def _kernel(self, n_in: int, normalizes: bool) -> Kernel:
        macros = {
            "BFLOAT16": int(self._dtype is torch.bfloat16),
            "ROWS": self._rows,
            "N_IN": n_in,
            "COLUMNS": _columns(n_in),
            "NORMALIZES": int(normalizes),
        }
        return Kernel("linear.cu", "linear", macros, self._device)


def _columns(n_in: int) -> int:
    return 2 if n_in <= _NARROW else 1


def multiply(rows: Tensor, layer: Layer, residual: Tensor | None) -> Tensor:
    """[rows, in] -> [rows, out] for any number of rows, in PyTorch's own kernels."""
    out: Tensor = layer.linear(rows if layer.norm is None else layer.norm(rows))
    out = F.gelu(out) if layer.activates else out
    return out if residual is None else residual + out


@dataclass(frozen=True)
class Block:
    """The layers of one decoder block, in their order."""

    block: DecoderBlock
    qkv: Layer
    out: Layer
    cross_q: Layer
    cross_out: Layer
    up: Layer
    down: Layer

    @classmethod
    def of(cls, block: DecoderBlock) -> Block:
        """The layers of a block, with their norms."""
        mlp = block.mlp
        return cls(
            block,
            Layer(block.attn_qkv, block.attn_ln),
            Layer(block.attn_out),
            Layer(block.cross_q, block.cross_ln),
            Layer(block.cross_out),
            Layer(cast(nn.Linear, mlp.up), block.mlp_ln, activates=True),
            Layer(cast(nn.Linear, mlp.down)),
        )
