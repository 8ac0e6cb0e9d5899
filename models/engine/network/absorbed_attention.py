"""Weight absorption: cross-attention over encoder states in int8, without keys and values.

`q . (W_k x)` is `(W_k^T q) . x`, and `sum p (W_v x)` is `W_v (sum p x)`: with the two projections
on the query's side, all layers and heads read the same states of a window. These are a hundredth
of its keys and values, and can be packed once (as DeepSeek-V2's multi-head latent attention
absorbs its projections, 2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.engine.network.linear import SYMMETRIC
from models.engine.network.packed_states import PackedEncoderStates

# Rows that BLAS multiplies together, or several times as many.
_TILE = 8


class AbsorbedCross(nn.Module):
    """Cross-attention over packed encoder states, each row of the batch over its own window."""

    def __init__(self, n_audio_state: int, n_state: int, n_head: int) -> None:
        super().__init__()
        head_dim = n_state // n_head
        self.key = nn.Parameter(torch.empty(n_head, head_dim, n_audio_state))
        self.value = nn.Parameter(torch.empty(n_head, n_audio_state, head_dim))
        # Added to the mixed values; its product is in the bias of the layer behind (centring.py).
        self.shift = nn.Parameter(torch.zeros(n_head, 1, head_dim))

    def forward(
        self, q: Tensor, windows: Sequence[PackedEncoderStates]
    ) -> tuple[Tensor, list[Tensor]]:
        """[batch, head, ctx, head_dim] -> the same; each row's scores, [head, ctx, positions]."""
        batch, _, ctx, _ = q.shape
        queries = _product(_by_head(q), self.key)  # [head, batch * ctx, n_audio_state]
        size = SYMMETRIC.size(queries)
        unit, size = _by_row(queries / size, batch), _by_row(size, batch)
        runs = list(_runs(windows))
        by_run = [window.score(unit[rows], size[rows]) for window, rows in runs]
        mixed = torch.cat([run[0].mix(scores) for run, scores in zip(runs, by_run, strict=True)])
        attended = _product(_by_head(mixed), self.value, self.shift)
        by_row = [row for scores in by_run for row in scores]
        return attended.unflatten(1, (batch, ctx)).transpose(0, 1), by_row


def _runs(windows: Sequence[PackedEncoderStates]) -> Iterator[tuple[PackedEncoderStates, slice]]:
    """Each window with the rows that read it together: neighbours of each other."""
    for _, run in groupby(enumerate(windows), lambda numbered: id(numbered[1])):
        (first, window), *rest = run
        yield window, slice(first, first + 1 + len(rest))


def _product(inputs: Tensor, weight: Tensor, shift: Tensor | None = None) -> Tensor:
    """[head, rows, in] times [head, in, out]; a row's result is the same among any others.

    `shift`, [head, 1, out], is added to it.

    BLAS adds up in another order for a few rows, or for those beyond whole tiles.
    """
    rows = inputs.shape[1]
    padded = F.pad(inputs, (0, 0, 0, -rows % _TILE))
    product = torch.bmm(padded, weight) if shift is None else torch.baddbmm(shift, padded, weight)
    return product[:, :rows]


def _by_head(heads: Tensor) -> Tensor:
    """[batch, head, ctx, dim] -> [head, batch * ctx, dim]."""
    return heads.transpose(0, 1).flatten(1, 2)


def _by_row(rows: Tensor, batch: int) -> Tensor:
    """[head, batch * ctx, dim] -> [batch, head, ctx, dim]."""
    return rows.unflatten(1, (batch, -1)).transpose(0, 1)


def with_values_bias_behind(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's weights, shapes as in `Network`, with the values' bias in the layer behind.

    It comes through attention whole, as weights add up to 1.
    """
    out = dict(weights)
    for layer in range(_layers(weights)):
        behind, name = f"decoder.blocks.{layer}.cross_out", f"decoder.cross_kv.{layer}.bias"
        keys, values = out[name].chunk(2)
        out[name] = torch.cat([keys, torch.zeros_like(values)])
        passed_on = out[f"{behind}.weight"].float() @ values.float()
        out[f"{behind}.bias"] = out[f"{behind}.bias"] + passed_on
    return out


def absorbed(weights: Mapping[str, Tensor], n_head: int) -> dict[str, Tensor]:
    """The network's weights with the projections of keys and values on the query's side.

    [2 * state, n_audio_state] becomes `AbsorbedCross`, a layer.

    The scale of the scores goes with the keys; their bias tells no position from another.
    """
    out = with_values_bias_behind(weights)
    for layer in range(_layers(weights)):
        block, kv = f"decoder.blocks.{layer}", f"decoder.cross_kv.{layer}"
        key, value = out.pop(f"{kv}.weight").chunk(2)
        out.pop(f"{kv}.bias")
        key, value = key.unflatten(0, (n_head, -1)), value.unflatten(0, (n_head, -1))
        out[f"{block}.cross.key"] = key * key.shape[1] ** -0.5
        out[f"{block}.cross.value"] = value.mT.contiguous()
        out[f"{block}.cross.shift"] = value.new_zeros(n_head, 1, value.shape[1])
    return out


def _layers(weights: Mapping[str, Tensor]) -> int:
    return sum(name.startswith("decoder.cross_kv.") for name in weights) // 2
