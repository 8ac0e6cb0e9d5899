"""Attention of one token a row, over self-KV and over cross-KV (attention.cu)."""

from __future__ import annotations

import torch
from torch import Tensor

from models.engine.cuda_kernels.compiler import Kernel, has_clusters
from models.engine.network.kv_cache import KVCache

HEAD_DIM = 64
_THREADS = 128
# A block reads sixteen positions in a pass, and so many passes at once: what most texts have, and
# an eighth of a window.
_POSITIONS = 16
_TEXT_PASSES = 6
_SPLITS = 8


class TextAttention:
    """A row reads its own text and no more, whatever the others have."""

    def __init__(self, cache: KVCache) -> None:
        self._kv = cache.text.kv
        self._kernel = _kernel("attend_text", self._kv, _TEXT_PASSES)

    def __call__(self, qkv: Tensor, layer: int, positions: Tensor) -> Tensor:
        """[rows, 3 * state] of the first slots -> [rows, state]; keys and values are cached.

        `positions` is [rows].
        """
        state = qkv.shape[1] // 3
        out = qkv.new_empty(len(qkv), state)
        grid = (state // HEAD_DIM, len(qkv), 1)
        self._kernel.launch(grid, _THREADS, (qkv, *self._kv[layer], positions, out))
        return out


class WindowAttention:
    """Whole windows, for rows so few that each head's window is shared out among blocks."""

    def __init__(self, cache: KVCache) -> None:
        self._kv = cache.cross.kv
        share = -(-self._kv.shape[4] // _SPLITS)
        self._kernel = _kernel("attend_window", self._kv, -(-share // _POSITIONS))

    def __call__(self, q: Tensor, layer: int) -> Tensor:
        """[rows, state] of the first slots -> the same."""
        out = torch.empty_like(q)
        grid = (_SPLITS, q.shape[1] // HEAD_DIM, len(q))
        self._kernel.launch(grid, _THREADS, (q, *self._kv[layer], out))
        return out


def window_attention(cache: KVCache) -> WindowAttention | None:
    """As above, where blocks can share."""
    return WindowAttention(cache) if has_clusters(cache.cross.kv.device) else None


def _kernel(name: str, kv: Tensor, passes: int) -> Kernel:
    """For `kv`, [layer, key/value, slot, head, N_CTX, head_dim]."""
    macros = {
        "BFLOAT16": int(kv.dtype is torch.bfloat16),
        "N_CTX": kv.shape[4],
        "PASSES": passes,
        "SPLITS": _SPLITS,
    }
    return Kernel("attention.cu", name, macros, kv.device)
