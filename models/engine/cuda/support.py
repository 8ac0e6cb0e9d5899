"""Whether there are kernels for a decoder, found out without NVIDIA's Python packages."""

from __future__ import annotations

import logging

import torch

from models.engine.cache import KVCache
from models.engine.decoding import TokenRules
from models.engine.network import Decoder
from models.engine.static.choice import PlainChoice
from models.engine.static.step import Step

logger = logging.getLogger(__name__)


def fused_step(decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step | None:
    """A decode step in our own kernels but for draws, or None where there are none for it.

    PyTorch's CUDA wheels for Linux bring the compiler library and its bindings.
    """
    if decoder.embedding.dtype is torch.float32:
        return None
    try:
        from models.engine.cuda.choice import FusedChoice
        from models.engine.cuda.forward import FusedForward

        feed, choose = FusedForward(decoder, cache), FusedChoice(rules)
        return Step(feed, choose, PlainChoice(rules, draws=True))
    except (ImportError, OSError, RuntimeError) as error:
        logger.warning("decoding goes without its own CUDA kernels: %s", error)
        return None
