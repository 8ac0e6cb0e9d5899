"""From weights to a running engine."""

from __future__ import annotations

from collections.abc import Callable

import torch

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights
from models.engine.cpu.shared_thread import SharedThread
from models.engine.cuda_graphs.graph_backend import GraphBackend
from models.engine.cuda_graphs.launcher import GraphLauncher
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
    """How many windows decode at once: see `EngineConfig`."""
    if config.slots:
        return config.slots
    if device.type == "cuda":
        return slots_that_fit(dims, precision, torch.cuda.mem_get_info(device)[0])
    # Beside int8 weights a slot holds no keys and values of its window, but what is far smaller.
    return MAX_SLOTS if precision.absorbs else FEWER_SLOTS


def engine_bytes(dims: Dimensions, config: EngineConfig) -> int:
    """Bytes that an engine over a checkpoint of these sizes will hold.

    Raises:
        DeviceError: as for `start_engine`.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.dtype, device)
    return expected_bytes(dims, precision, resolve_slots(config, dims, precision, device))


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
    runner = _runner(network, Vocabulary(weights.dims), precision, slots, padding, config)
    # A CPU gains nothing from a batch of windows, and alone each is independent of the others;
    # thinned windows have a length each.
    together = device.type != "cpu" and padding == "full"
    batch = config.encode_batch if together else 1
    return Engine(
        runner,
        slots=slots,
        encode_batch=batch,
        threads=config.threads,
        cpu=cpu if device.type == "cpu" else None,
        on_loss=on_loss,
    )


def _runner(
    network: Network,
    vocabulary: Vocabulary,
    precision: Precision,
    slots: int,
    padding: Padding,
    config: EngineConfig,
) -> PlainBackend:
    if network.device.type != "cuda" or padding == "thin":
        return PlainBackend(network, vocabulary, precision, slots=slots, padding=padding)
    return GraphBackend(
        network,
        vocabulary,
        precision,
        GraphLauncher(network.device),
        slots=slots,
        encode_batch=config.encode_batch,
    )
