"""From weights to a running engine."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.catalogue import Dimensions
from models.engine.config import EngineConfig
from models.engine.device import resolve_device
from models.engine.engine import Engine
from models.engine.loading import load_network
from models.engine.precision import resolve_precision
from models.engine.runner import Runner
from models.engine.vocabulary import Vocabulary


def start_engine(dims: Dimensions, tensors: Mapping[str, Tensor], config: EngineConfig) -> Engine:
    """An engine over weights named as in openai-whisper's state dict.

    Raises:
        DeviceError: the configured device is not there.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.dtype, device)
    if config.threads:
        torch.set_num_threads(config.threads)
    network = load_network(dims, tensors, device, precision)
    runner = Runner(network, Vocabulary(dims), precision, config.slots)
    return Engine(runner, slots=config.slots, encode_batch=config.encode_batch)
