"""What a model holds in memory: foreseen from its sizes, counted when loaded, given back."""

from __future__ import annotations

import ctypes
import sys

import torch
from torch import nn

from models.checkpoints.catalogue import Dimensions
from models.engine.device.engine_config import MAX_SLOTS_ON_GPU
from models.engine.device.gpu_sharing import recording
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


def expected_bytes(dims: Dimensions, precision: Precision, slots: int) -> int:
    """Bytes of the weights and the cache that a model will hold; none are taken for the answer.

    Of some GPUs it is a little less: not all keep the states of windows (cuda/states.py).
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
    cache = KVCache(
        dims,
        slots,
        meta,
        state=precision.state,
        attention=precision.window_state,
    )
    if precision.state is not torch.float32:
        cache.enable_states()
    return held + cache.nbytes


def slots_that_fit(dims: Dimensions, precision: Precision, free: int) -> int:
    """How many windows decode at once on a GPU with so many bytes free: half of them are for it.

    The rest is for what is computed in between, and for other models.
    """
    weights = expected_bytes(dims, precision, 0)
    one = expected_bytes(dims, precision, 1) - weights
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
        with recording():
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
