"""A tiny random checkpoint for tests that need real shapes, not real speech."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights, build_weights, expected_shapes

TINY = Dimensions(
    n_mels=80,
    n_audio_ctx=1500,
    n_audio_state=32,
    n_audio_head=2,
    n_audio_layer=1,
    n_vocab=51865,
    n_text_ctx=192,  # random weights seldom end a text before its limit
    n_text_state=32,
    n_text_head=2,
    n_text_layer=1,
)


def tiny_weights(seed: int = 0, **dims: Any) -> Weights:
    """Random weights of plausible sizes; `dims` overrides single sizes of `TINY`."""
    sizes = replace(TINY, **dims)
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in expected_shapes(sizes).items():
        values = torch.randn(shape, generator=generator)
        # norms scale by about one, matrices keep the size of what passes through them
        is_norm = "_ln" in name or ".ln" in name
        mean = 1.0 if is_norm and name.endswith("weight") else 0.0
        spread = 0.02 if len(shape) == 1 else min(0.3, shape[-1] ** -0.5)
        tensors[name] = (mean + spread * values).half()
    return build_weights(sizes, tensors)
