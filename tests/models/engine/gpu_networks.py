"""Networks and filled caches in half precision on a GPU, for tests of what computes there."""

from __future__ import annotations

import torch
from torch import Tensor

from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.precision import resolve_precision
from tests.tiny import tiny_weights

SLOTS = 40
HEAD_DIM = 64


def network(dtype: str, state: int = 384) -> Network:
    """Random weights in float16 or bfloat16, two decoder layers."""
    heads = state // HEAD_DIM
    sizes = {"n_audio_head": heads, "n_text_head": heads, "n_text_ctx": 448}
    device = torch.device("cuda")
    weights = tiny_weights(n_text_layer=2, n_audio_state=state, n_text_state=state, **sizes)
    return load_network(weights, device, resolve_precision(dtype, device))


def empty_cache(net: Network, slots: int) -> KVCache:
    """A cache for so many windows, all of it zero."""
    return KVCache(net.dims, slots, net.device, state=net.dtype, attention=net.dtype)


def fill(cache: KVCache, net: Network) -> Tensor:
    """Texts and windows drawn at random; these windows' states, [slots, n_audio_ctx, state]."""
    cache.text.kv.normal_()
    every = torch.arange(cache.text.kv.shape[2], device=net.device)
    states = torch.randn(len(every), net.dims.n_audio_ctx, net.dims.n_audio_state)
    states = states.to(net.device, net.dtype)
    net.decoder.write_cross(states, cache.cross, every)
    return states
