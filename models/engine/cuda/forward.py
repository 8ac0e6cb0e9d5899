"""The decoder's step over one token a row, in few kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.engine.alignment import Watch
from models.engine.cache import KVCache
from models.engine.cuda.compiler import Kernel
from models.engine.linear import MLP
from models.engine.network import Decoder, DecoderBlock

# So many rows are multiplied by kernels that read the weights as fast as they come; cuBLAS is made
# for more.
_FEW = 4
_COLUMNS_PER_BLOCK = 4
HEAD_DIM = 64
_LANES = 32


class FewRowsLinear:
    """Linear layers for so many rows, with what is before and behind them."""

    def __init__(self, rows: int, state: int, dtype: torch.dtype, device: torch.device) -> None:
        self._rows = rows
        macros = {"BFLOAT16": int(dtype is torch.bfloat16), "ROWS": rows}
        self._kernels = {
            n_in: Kernel("linear", {**macros, "N_IN": n_in}, device) for n_in in (state, 4 * state)
        }

    def __call__(
        self,
        x: Tensor,
        linear: nn.Linear,
        *,
        norm: nn.LayerNorm | None = None,
        activates: bool = False,
        residual: Tensor | None = None,
    ) -> Tensor:
        """[rows, in] -> [rows, out]: normalized before, GELU and what it is added to behind."""
        out = x.new_empty(self._rows, linear.out_features)
        gain, shift = (norm.weight, norm.bias) if norm else (x, x)
        added = x if residual is None else residual
        tensors = (x, gain, shift, linear.weight, linear.bias, added, out)
        flags = (int(norm is not None), int(activates), int(residual is not None))
        blocks = -(-linear.out_features // _COLUMNS_PER_BLOCK)
        arguments: list[Tensor | int] = [*tensors, linear.out_features, *flags]
        self._kernels[linear.in_features].launch(
            (blocks, 1), _LANES * _COLUMNS_PER_BLOCK, arguments
        )
        return out


def many_rows_linear(
    x: Tensor,
    linear: nn.Linear,
    *,
    norm: nn.LayerNorm | None = None,
    activates: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """The same in PyTorch's own kernels, for any number of rows."""
    out = linear(x if norm is None else norm(x))
    out = F.gelu(out) if activates else out
    return out if residual is None else residual + out


class FusedForward:
    """`Decoder.forward` for rows that are the first slots and have one token each."""

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._decoder, self._cache = decoder, cache
        embedding = decoder.embedding
        self._dtype, self._device = embedding.dtype, embedding.device
        self._state = embedding.shape[1]
        n_ctx = cache.text.shape[4]
        # A row reads its own text and no more, whatever the others have.
        self.lengths: tuple[int, ...] = (n_ctx,)
        macros = {"BFLOAT16": int(self._dtype is torch.bfloat16), "N_CTX": n_ctx}
        self._attend = Kernel("attend_text", macros, self._device)
        self._few: dict[int, FewRowsLinear] = {}

    def __call__(
        self,
        tokens: Tensor,
        positions: Tensor,
        length: int,
        watch: Watch | None,
    ) -> Tensor:
        """Tokens to states; their keys and values go into the cache."""
        decoder, linear = self._decoder, self._linear(len(tokens))
        slots = range(len(tokens))
        x = decoder.embedding[tokens] + decoder.positions[positions]
        for layer, module in enumerate(decoder.blocks):
            block = cast(DecoderBlock, module)
            mlp: MLP = block.mlp
            qkv = linear(x, block.attn_qkv, norm=block.attn_ln)
            x = linear(self._attend_text(qkv, layer, positions), block.attn_out, residual=x)
            q = linear(x, block.cross_q, norm=block.cross_ln).view(len(x), -1, 1, HEAD_DIM)
            heard = block.listen(q, self._cache, layer, slots, watch).reshape(len(x), -1)
            x = linear(heard, block.cross_out, residual=x)
            up = linear(x, cast(nn.Linear, mlp.up), norm=block.mlp_ln, activates=True)
            x = linear(up, cast(nn.Linear, mlp.down), residual=x)
        return cast(Tensor, decoder.ln(x))

    def _attend_text(self, qkv: Tensor, layer: int, positions: Tensor) -> Tensor:
        out = qkv.new_empty(len(qkv), self._state)
        keys, values = self._cache.text[layer]
        grid = (self._state // HEAD_DIM, len(qkv))
        self._attend.launch(grid, 128, [qkv, keys, values, positions, out])
        return out

    def _linear(self, rows: int) -> FewRowsLinear | Callable[..., Tensor]:
        if rows > _FEW:
            return many_rows_linear
        if rows not in self._few:
            self._few[rows] = FewRowsLinear(rows, self._state, self._dtype, self._device)
        return self._few[rows]
