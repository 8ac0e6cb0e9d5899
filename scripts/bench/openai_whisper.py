"""openai-whisper's own model over weights of ours."""

from __future__ import annotations

from dataclasses import asdict

import torch
from whisper.model import ModelDimensions, Whisper

from models.checkpoints.weights import Weights


def build_openai_whisper(weights: Weights, device: str = "cpu") -> Whisper:
    """The model in float32, ready to transcribe; `device` in PyTorch's words."""
    model = Whisper(ModelDimensions(**asdict(weights.dims)))
    # buffers that are computed, not learnt, are the model's own
    model.load_state_dict({**model.state_dict(), **weights.tensors})
    heads = torch.zeros(weights.dims.n_text_layer, weights.dims.n_text_head, dtype=torch.bool)
    for layer, head in weights.alignment_heads:
        heads[layer, head] = True
    model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return model.to(device).eval()
