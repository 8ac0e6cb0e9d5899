"""From weights to a running engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from models.catalogue import Dimensions
from models.engine.config import FEWER_SLOTS, MOST_SLOTS, EngineConfig, Padding
from models.engine.device import resolve_device
from models.engine.engine import Engine
from models.engine.fair_lock import FairLock
from models.engine.loading import load_network
from models.engine.memory import expected_bytes
from models.engine.precision import Precision, resolve_precision
from models.engine.runner import Runner
from models.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from models.weights import Weights


def resolve_padding(config: EngineConfig, device: torch.device) -> Padding:
    """Full or thin: see `EngineConfig`."""
    if config.padding != "auto":
        return config.padding
    return "thin" if device.type == "cpu" and config.dtype != "float32" else "full"


def resolve_slots(config: EngineConfig, precision: Precision) -> int:
    """How many windows decode at once: see `EngineConfig`."""
    # Beside int8 weights a slot holds no keys and values of its window, but what is far smaller.
    return config.slots or (MOST_SLOTS if precision.absorbs else FEWER_SLOTS)


def foresee_bytes(dims: Dimensions, config: EngineConfig) -> int:
    """Bytes that an engine over a checkpoint of these sizes will hold.

    Raises:
        DeviceError: as for `start_engine`.
    """
    precision = resolve_precision(config.dtype, resolve_device(config.device))
    return expected_bytes(dims, precision, resolve_slots(config, precision))


def start_engine(weights: Weights, config: EngineConfig, cpu: FairLock | None = None) -> Engine:
    """An engine over a checkpoint's weights; on a CPU each of its steps waits for its turn.

    Raises:
        DeviceError: the configured device is not there.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.dtype, device)
    network = load_network(weights, device, precision)
    padding, slots = resolve_padding(config, device), resolve_slots(config, precision)
    runner = Runner(network, Vocabulary(weights.dims), precision, slots=slots, padding=padding)
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
    )
