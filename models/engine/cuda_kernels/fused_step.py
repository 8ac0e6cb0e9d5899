"""Fused decode step in CUDA kernels; imported without NVIDIA's Python packages."""

from __future__ import annotations

import torch

from models.checkpoints.catalogue import Dimensions
from models.engine.decoding.token_rules import TokenRules
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache
from models.engine.network.precision import Precision
from models.engine.static_step.plain_step import PlainChoice, Step


def fused_step(decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step | None:
    """A decode step in our own kernels but for draws, or None where there are none for it.

    PyTorch's CUDA wheels for Linux bring the compiler library and its bindings.

    Raises:
        ImportError: the bindings are not installed.
        OSError, RuntimeError: the compiler library or the driver does not do this.
    """
    if decoder.embedding.dtype is torch.float32:
        return None
    from models.engine.cuda_kernels.choice_kernel import FusedChoice
    from models.engine.cuda_kernels.fused_forward import FusedForward

    feed, choose = FusedForward(decoder, cache), FusedChoice(rules)
    states = feed.states
    return Step(
        feed,
        choose,
        PlainChoice(rules, draws=True),
        states.store if states else None,
        states.nbytes if states else 0,
    )


def bytes_per_slot(dims: Dimensions, precision: Precision) -> int:
    """Bytes of the encoder states that kernels read: see `StateAttention`."""
    if precision.state is torch.float32:
        return 0
    return dims.n_audio_ctx * dims.n_audio_state * precision.state.itemsize
