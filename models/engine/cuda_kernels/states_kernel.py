"""Weight absorption on GPUs: attention over encoder states, half as many bytes as cross-KV.

`q . (W_k x)` is `(W_k^T q) . x`, and `sum p (W_v x)` is `W_v (sum p x)`, as in
absorbed_attention.py.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.engine.cuda_kernels.compiler import Kernel, reads_states
from models.engine.cuda_kernels.cross_projections import cross_weights
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache

_LANES = 32
_TILE, _PLACES = 16, 4
_MAX_BLOCKS = 8


class StateAttention:
    """Whole windows, for rows so many that reading their windows is what takes the time.

    `states`, [slots, n_audio_ctx, n_audio_state], are those of each slot's window. The values have
    no bias: the layer behind adds it (cross_projections.py).
    """

    def __init__(self, decoder: Decoder, cache: KVCache) -> None:
        self._heads, kv = decoder.n_head, cache.cross.kv
        # Of keys [head, head_dim, n_audio_state], of values [head, n_audio_state, head_dim].
        self._projections = [(key, value.mT) for key, value in cross_weights(decoder)]
        n_state = self._projections[0][0].shape[2]
        # A warp's share of the states is a multiple of sixteen.
        warps = 16 if n_state % 256 == 0 else 8
        self._threads, shared = warps * _LANES, _shared_bytes(n_state, self._heads, warps)
        macros = {
            "BFLOAT16": int(kv.dtype is torch.bfloat16),
            "N_STATE": n_state,
            "N_HEAD": self._heads,
            "WARPS": warps,
            "SHARED": shared,
        }
        self._kernel = Kernel("states.cu", "attend_states", macros, kv.device, shared=shared)
        sizes = range(1, _MAX_BLOCKS + 1)
        self._clusters = {n: self._kernel.max_clusters(self._threads, n) for n in sizes}
        self.states = kv.new_zeros(kv.shape[2], kv.shape[4], n_state)

    @property
    def nbytes(self) -> int:
        """Bytes of the states of all slots."""
        return self.states.nbytes

    def store(self, slots: Tensor, states: Tensor) -> None:
        """Keep the states of windows, [batch, n_audio_ctx, n_audio_state], in slots [batch]."""
        self.states.index_copy_(0, slots, states)

    def __call__(self, q: Tensor, layer: int) -> Tensor:
        """[rows, state] of the first slots -> the same."""
        rows, (key, value) = len(q), self._projections[layer]
        queries = torch.bmm(q.view(rows, self._heads, -1).transpose(0, 1), key)
        mixed = torch.empty_like(queries)  # [head, rows, n_audio_state]
        blocks = self._blocks(rows)
        arguments = (queries, self.states, mixed, self.states.shape[1])
        self._kernel.launch((blocks, rows, 1), self._threads, arguments, cluster=blocks)
        out = q.new_empty(rows, self._heads, value.shape[2])
        torch.bmm(mixed, value, out=out.transpose(0, 1))
        return out.view(rows, -1)

    def _blocks(self, rows: int) -> int:
        """Blocks of a cluster that share out a row's window, so that all rows are read at once."""
        fitting = (n for n, maximum in self._clusters.items() if rows <= maximum)
        return max(fitting, default=1)


def state_attention(decoder: Decoder, cache: KVCache) -> StateAttention | None:
    """As above, where the device has the shared memory for it."""
    return StateAttention(decoder, cache) if reads_states(cache.cross.kv.device) else None


def _shared_bytes(n_state: int, heads: int, warps: int) -> int:
    """The size of `Shared` in states.cu, or a little more."""
    padded = -(-heads // 8) * 8
    tiles = _PLACES * _TILE * (n_state + 8) * 2
    scores = 2 * warps * padded * (_TILE + 4) * 4
    return tiles + scores + padded * (_TILE + 8) * 2 + 3 * padded * 4 + 8 * _PLACES
