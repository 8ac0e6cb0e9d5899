"""Calibration for quantization: inputs of linear layers, recorded over synthetic speech.

Means and largest channels of the inputs are the network's, and hardly depend on what is said: those
of this window leave as little for int8 to lose as those of speech (docs/lab-notebook.md, *How*).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache, SlotIndex
from models.engine.network.packed_states import PackedStatesCache
from models.engine.network.sparse_padding import encoder_positions

# The name under which the encoder's output is recorded.
STATES = "encoder.ln_post"
# A sentence or two in several languages and scripts, for the decoder to read.
TEXT = (
    " Good morning. Buenos días, ¿cómo está? Ich weiß es nicht. "
    "Она сказала, что придёт. C'est la vie."
)
_FRAMES = 300
_FRAMES_PER_SECOND = 100
_QUIET, _LOUD = -0.7, 1.3


@dataclass(frozen=True)
class Inputs:
    """Statistics of a layer's inputs: each channel's mean and largest absolute value, [in] each."""

    mean: Tensor
    largest: Tensor


def synthetic_speech(n_mels: int) -> Tensor:
    """Log-mel of three seconds of syllables with three moving formants, [n_mels, 3000]."""
    t = torch.arange(_FRAMES) / _FRAMES_PER_SECOND
    band = torch.arange(n_mels)[:, None] / n_mels
    syllables = (2 * math.pi * 2.5 * t).sin().clamp_min(0)
    formants = sum(
        torch.exp(-(((band - place - 0.08 * (2 * math.pi * rate * t).sin()) / 0.07) ** 2))
        for place, rate in ((0.15, 0.7), (0.4, 1.1), (0.65, 1.7))
    )
    mel = torch.full((n_mels, 3000), _QUIET)
    mel[:, :_FRAMES] += (_LOUD - _QUIET) * syllables * formants
    return mel


@torch.inference_mode()
def typical_inputs(network: Network, tokens: Sequence[int]) -> dict[str, Inputs]:
    """The inputs of each linear layer by its name, and the encoder's output as `STATES`.

    `tokens` are the decoder's input, a prompt and a text. The layers of the network are in float32,
    on a CPU, and there is no cross-KV (absorbed_attention.py).
    """
    inputs: dict[str, Inputs] = {}
    linears = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    hooks = [m.register_forward_pre_hook(partial(_record, inputs, name)) for name, m in linears]
    try:
        _run(network, tokens, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return inputs


def _run(network: Network, tokens: Sequence[int], inputs: dict[str, Inputs]) -> None:
    dims, device = network.dims, network.device
    positions = encoder_positions(_FRAMES, dims.n_audio_ctx, "thin", device)
    *_, states = network.encoder.stages(synthetic_speech(dims.n_mels)[None], positions)
    inputs[STATES] = _statistics(states)
    cache = KVCache(dims, 1, device, state=network.dtype, attention=None)
    assert isinstance(cache.window, PackedStatesCache)
    cache.window.write([0], positions, states)
    rows = SlotIndex.at([0], [range(len(tokens))], device)
    network.decoder.logits(network.decoder(torch.tensor([tokens]), cache, rows))


def _record(
    inputs: dict[str, Inputs], name: str, _: nn.Module, arguments: tuple[Tensor]
) -> tuple[Tensor]:
    """The input, [..., in], in float32: attention gives bfloat16 where that is faster, which only
    packed layers take.
    """
    values = arguments[0].float()
    inputs[name] = _statistics(values)
    return (values,)


def _statistics(values: Tensor) -> Inputs:
    """Of [..., in]."""
    rows = values.flatten(0, -2)
    return Inputs(rows.mean(0), rows.abs().amax(0))
