"""Whether there are kernels for a decoder, found out without NVIDIA's Python packages."""

from __future__ import annotations

import logging

import torch

from models.engine.decoding.token_rules import TokenRules
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache
from models.engine.static_step.plain_choice import PlainChoice
from models.engine.static_step.step import Step

logger = logging.getLogger(__name__)


def fused_step(decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step | None:
    """A decode step in our own kernels but for draws, or None where there are none for it.

    PyTorch's CUDA wheels for Linux bring the compiler library and its bindings.
    """
    if decoder.embedding.dtype is torch.float32:
        return None
    try:
        from models.engine.cuda_kernels.choice_kernel import FusedChoice
        from models.engine.cuda_kernels.fused_forward import FusedForward

        feed, choose = FusedForward(decoder, cache), FusedChoice(rules)
        return Step(feed, choose, PlainChoice(rules, draws=True))
    except (ImportError, OSError, RuntimeError) as error:
        logger.warning("decoding goes without its own CUDA kernels: %s", error)
        return None
