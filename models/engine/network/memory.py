"""Memory of a model: estimated from its sizes, counted when loaded, given back with malloc_trim."""

from __future__ import annotations

import ctypes
import sys

import torch
from torch import nn

from models.checkpoints.catalogue import Dimensions
from models.engine.device.engine_config import MAX_SLOTS_ON_GPU
from models.engine.device.gpu_sharing import capture_lock
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.linear import (
    EXACT,
    MLP,
    BFloat16Linear,
    Int8Linear,
    LinearKind,
    SplitInt8Linear,
)
from models.engine.network.precision import Precision


def expected_bytes(
    dims: Dimensions, precision: Precision, slots: int, *, beside_slot: int = 0
) -> int:
    """Bytes of the weights and the cache that a model will hold; none are taken for the answer.

    `beside_slot` are those that a backend holds for each slot beside the cache.
    """
    meta = torch.device("meta")
    with meta:
        network = Network(dims, precision, ())
    if not precision.rotates:
        network.decoder.head.weight = network.decoder.embedding
    tensors = {id(tensor): tensor.numel() for tensor in network.parameters()}
    held = sum(tensors.values()) * precision.state.itemsize
    for part, kind in (
        (network.encoder.blocks, precision.encoder),
        (network.decoder.cross_kv, precision.encoder),
        (network.decoder.blocks, precision.decoder),
        (network.decoder.head, precision.decoder),
    ):
        held -= sum(_saved(module, kind) for module in part.modules())
    # The head is packed beside the embedding that it shares otherwise.
    if precision.decoder != "plain" and not precision.rotates:
        held += precision.state.itemsize * network.decoder.embedding.numel()
    cache = KVCache(dims, slots, meta, state=precision.state, attention=precision.window_state)
    return held + cache.nbytes + slots * beside_slot


def slots_that_fit(
    dims: Dimensions, precision: Precision, free: int, *, beside_slot: int = 0
) -> int:
    """Number of slots on a GPU with so many bytes `free`: half of them are for this model.

    The rest is for what is computed in between, and for other models. `beside_slot` as above.
    """
    weights = expected_bytes(dims, precision, 0)
    one = expected_bytes(dims, precision, 1, beside_slot=beside_slot) - weights
    return max(1, min(MAX_SLOTS_ON_GPU, (free - weights) // 2 // one))


def held_bytes(network: Network, cache: KVCache) -> int:
    """Bytes of a loaded model's weights, and of its cache when all slots are taken."""
    tensors = {tensor.data_ptr(): tensor.nbytes for tensor in network.parameters()}
    kinds = Int8Linear | SplitInt8Linear | BFloat16Linear
    packed = [m for m in network.modules() if isinstance(m, kinds)]
    return sum(tensors.values()) + sum(linear.packed_bytes for linear in packed) + cache.nbytes


def give_back() -> None:
    """Return what has been freed to the device and the system."""
    if torch.cuda.is_initialized():
        with capture_lock():
            torch.cuda.empty_cache()
    trim()


def trim() -> None:
    """Return what has been freed to the system.

    glibc keeps hundreds of megabytes for its own use: of a model that was unloaded, and between
    what is still used of a batch.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _saved(module: nn.Module, kind: LinearKind) -> int:
    """Bytes that packing takes off a linear layer in float32, or that an MLP keeps of them."""
    if isinstance(module, MLP) and kind == "int8":
        return -3 * EXACT * module.down.get_parameter("bias").numel()
    if not isinstance(module, nn.Linear) or kind == "plain":
        return 0
    if kind == "int8":
        return 3 * module.weight.numel()
    return 2 * sum(tensor.numel() for tensor in module.parameters())
