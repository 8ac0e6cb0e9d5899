"""Whether there are kernels for a decoder, found out without NVIDIA's Python packages."""

from __future__ import annotations

import logging

import torch

from models.engine.cache import KVCache
from models.engine.network import Decoder
from models.engine.static.step import Step
from models.engine.vocabulary import Vocabulary

logger = logging.getLogger(__name__)


def fused_step(decoder: Decoder, cache: KVCache, vocabulary: Vocabulary) -> Step | None:
    """A decode step in our own kernels, or None where there are none for it.

    PyTorch's CUDA wheels for Linux bring the compiler library and its bindings.
    """
    if decoder.embedding.dtype is torch.float32:
        return None
    try:
        from models.engine.cuda.choice import FusedChoice
        from models.engine.cuda.forward import FusedForward

        choice = FusedChoice(vocabulary, decoder.embedding.device)
        return FusedForward(decoder, cache), choice
    except (ImportError, OSError, RuntimeError) as error:
        logger.warning("decoding goes without its own CUDA kernels: %s", error)
        return None
