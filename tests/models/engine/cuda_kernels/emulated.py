"""Emulation of the kernels in PyTorch, by their arguments: what a launch of each computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

HEAD_DIM = 64


class EmulatedKernel:
    """Stands in for `compiler.Kernel` on any device; `launched` are the names of all launches."""

    launched: list[str]

    def __init__(
        self,
        source: str,
        name: str,
        macros: dict[str, int],
        device: torch.device,
        *,
        shared: int = 0,
    ) -> None:
        self._compute, self._name, self._macros = globals()[f"_{name}"], name, macros

    def launch(
        self,
        grid: tuple[int, int, int],
        threads: int,
        arguments: Sequence[Any],
        *,
        cluster: int = 0,
    ) -> None:
        """Compute it, whatever the grid."""
        self.launched.append(self._name)
        self._compute(self._macros, *arguments)

    def max_clusters(self, threads: int, cluster: int) -> int:
        """As of a GPU with a hundred multiprocessors."""
        return 100 // cluster


def _attend_text(
    _: object, qkv: Tensor, keys: Tensor, values: Tensor, positions: Tensor, out: Tensor
) -> None:
    """[rows, 3 * state], [slots, heads, n_ctx, HEAD_DIM] twice, [rows] -> [rows, state]."""
    for row, position in enumerate(positions.tolist()):
        q, k, v = qkv[row].view(3, -1, 1, HEAD_DIM)
        keys[row, :, position], values[row, :, position] = k[:, 0], v[:, 0]
        seen = slice(0, position + 1)
        attended = F.scaled_dot_product_attention(q, keys[row, :, seen], values[row, :, seen])
        out[row] = attended.flatten()


def _attend_window(_: object, q: Tensor, keys: Tensor, values: Tensor, out: Tensor) -> None:
    """[rows, state], [slots, heads, n_ctx, HEAD_DIM] twice -> [rows, state]."""
    rows = len(q)
    heads = q.view(rows, -1, 1, HEAD_DIM)
    out.copy_(F.scaled_dot_product_attention(heads, keys[:rows], values[:rows]).view(rows, -1))


def _attend_states(_: object, queries: Tensor, states: Tensor, out: Tensor, n_ctx: int) -> None:
    """[head, rows, n_state], [slots, n_ctx, n_state] -> [head, rows, n_state]."""
    windows = states[: queries.shape[1], :n_ctx]
    scores = torch.einsum("hrs,rps->hrp", queries, windows) * HEAD_DIM**-0.5
    out.copy_(torch.einsum("hrp,rps->hrs", scores.softmax(-1), windows))


def _linear(macros: dict[str, int], *arguments: Any) -> None:
    """[rows, in] -> [rows, n_out]: norm, product, GELU and residual as they are asked for."""
    (rows, gain, shift, weight, bias, residual, out), (n_out, activates, adds) = (
        arguments[:7],
        arguments[7:],
    )
    assert rows.shape == (macros["ROWS"], macros["N_IN"])
    assert len(weight) == n_out
    inputs = F.layer_norm(rows, gain.shape, gain, shift) if macros["NORMALIZES"] else rows
    product = F.linear(inputs, weight, bias)
    product = F.gelu(product) if activates else product
    out.copy_(product + residual if adds else product)
