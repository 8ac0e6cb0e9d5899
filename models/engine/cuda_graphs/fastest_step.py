"""Decode step of a GPU: in the optional CUDA kernels, or in PyTorch where there are none.

The one place that imports `cuda_kernels`: without that folder nothing but speed is lost.
"""

from __future__ import annotations

import logging
from typing import Protocol

from models.checkpoints.catalogue import Dimensions
from models.engine.decoding.token_rules import TokenRules
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache
from models.engine.network.precision import Precision
from models.engine.static_step.plain_step import Step, plain_step

logger = logging.getLogger(__name__)


class Kernels(Protocol):
    """The kernels' side of it: `cuda_kernels/fused_step.py`."""

    def fused_step(self, decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step | None:
        """A step in kernels, or None where there are none for this decoder.

        Raises:
            ImportError, OSError, RuntimeError: they cannot be built here.
        """
        ...

    def bytes_per_slot(self, dims: Dimensions, precision: Precision) -> int:
        """Bytes that they hold for each slot beside the cache, at most."""
        ...


def fastest_step(decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
    """The step in kernels of our own, where there are some for this decoder and this GPU."""
    step = None
    try:
        if kernels := _kernels():
            step = kernels.fused_step(decoder, cache, rules)
    except (ImportError, OSError, RuntimeError) as error:
        logger.warning("decoding goes without its own CUDA kernels: %s", error)
    return step or plain_step(decoder, cache, rules)


def kernel_bytes_per_slot(dims: Dimensions, precision: Precision) -> int:
    """Bytes that kernels may hold for each slot beside the cache.

    Of some GPUs it is less: not all have all kernels.
    """
    kernels = _kernels()
    return kernels.bytes_per_slot(dims, precision) if kernels else 0


def _kernels() -> Kernels | None:
    try:
        from models.engine.cuda_kernels import fused_step
    except ModuleNotFoundError:
        return None
    kernels: Kernels = fused_step
    return kernels
