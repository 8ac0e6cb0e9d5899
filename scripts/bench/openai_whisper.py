"""openai-whisper's own model over weights of ours."""

from __future__ import annotations

from dataclasses import asdict

from whisper.model import ModelDimensions, Whisper

from models.weights import Weights


def build_openai_whisper(weights: Weights, device: str = "cpu") -> Whisper:
    """The model in float32, ready to transcribe; `device` in PyTorch's words."""
    model = Whisper(ModelDimensions(**asdict(weights.dims)))
    # buffers that are computed, not learnt, are the model's own
    model.load_state_dict({**model.state_dict(), **weights.tensors})
    return model.to(device).eval()
