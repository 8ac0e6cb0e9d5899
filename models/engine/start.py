"""Start of an engine: weights to a network, a backend for its device, a running engine."""

from __future__ import annotations

from collections.abc import Callable

import torch

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights
from models.engine.backend import Backend
from models.engine.cpu.shared_thread import SharedThread
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.device.device import resolve_device
from models.engine.device.engine_config import FEWER_SLOTS, MAX_SLOTS, EngineConfig, Padding
from models.engine.engine import Engine
from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Network
from models.engine.network.memory import expected_bytes, slots_that_fit
from models.engine.network.plain_backend import PlainBackend
from models.engine.network.precision import Precision, resolve_precision


def resolve_padding(config: EngineConfig, device: torch.device) -> Padding:
    """Full or thin: see `EngineConfig`."""
    if config.padding != "auto":
        return config.padding
    return "thin" if device.type == "cpu" and config.dtype != "float32" else "full"


def resolve_slots(
    config: EngineConfig, dims: Dimensions, precision: Precision, device: torch.device
) -> int:
    """Number of slots: see `EngineConfig`."""
    if config.slots:
        return config.slots
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        beside_slot = _bytes_beside_slot(dims, precision, device)
        return slots_that_fit(dims, precision, free, beside_slot=beside_slot)
    # Beside int8 weights a slot holds no cross-KV, but packed encoder states, far smaller.
    return MAX_SLOTS if precision.absorbs else FEWER_SLOTS


def engine_bytes(dims: Dimensions, config: EngineConfig) -> int:
    """Bytes that an engine over a checkpoint of these sizes will hold.

    Raises:
        DeviceError: as for `start_engine`.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.dtype, device)
    slots = resolve_slots(config, dims, precision, device)
    beside_slot = _bytes_beside_slot(dims, precision, device)
    return expected_bytes(dims, precision, slots, beside_slot=beside_slot)


def start_engine(
    weights: Weights,
    config: EngineConfig,
    cpu: SharedThread | None = None,
    on_loss: Callable[[], object] = lambda: None,
) -> Engine:
    """An engine over a checkpoint's weights; on a CPU it computes in that thread, if there is one.

    `on_loss`: see `Engine`.

    Raises:
        DeviceError: the configured device is not there.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.dtype, device)
    padding = resolve_padding(config, device)
    slots = resolve_slots(config, weights.dims, precision, device)
    network = load_network(weights, device, precision)
    backend = _backend(network, Vocabulary(weights.dims), precision, slots, padding, config)
    # A CPU gains nothing from a batch of windows, and alone each is independent of the others;
    # thinned windows have a length each.
    batches = device.type != "cpu" and padding == "full"
    encode_batch = config.encode_batch if batches else 1
    return Engine(
        backend,
        slots=slots,
        encode_batch=encode_batch,
        threads=config.threads,
        cpu=cpu if device.type == "cpu" else None,
        on_loss=on_loss,
    )


def _bytes_beside_slot(dims: Dimensions, precision: Precision, device: torch.device) -> int:
    """Bytes that the device's backend holds for each slot beside the cache."""
    if device.type != "cuda":
        return 0
    from models.engine.cuda_graphs.fastest_step import kernel_bytes_per_slot

    return kernel_bytes_per_slot(dims, precision)


def _backend(
    network: Network,
    vocabulary: Vocabulary,
    precision: Precision,
    slots: int,
    padding: Padding,
    config: EngineConfig,
) -> Backend:
    """CUDA graphs on a GPU, plain PyTorch elsewhere, where `cuda_graphs` is not imported."""
    if network.device.type != "cuda" or padding == "thin":
        return PlainBackend(network, vocabulary, precision, slots=slots, padding=padding)
    from models.engine.cuda_graphs.graph_backend import GraphBackend
    from models.engine.cuda_graphs.launcher import GraphLauncher

    return GraphBackend(
        network,
        vocabulary,
        precision,
        GraphLauncher(network.device),
        slots=slots,
        encode_batch=config.encode_batch,
    )
