"""Autotuning by micro-benchmark: the fastest number formats for the encoder on this CPU.

Its instructions do not tell: bfloat16 products take half as long as float32's on AMD's Zen 5,
longer than them on an Intel CPU whose AMX is hidden from a virtual machine, and a tenth where there
is AMX.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

from models.engine.cpu.cpu_features import multiplies_bfloat16
from models.engine.cpu.threads import in_passing
from models.engine.network.attention import attend_window
from models.engine.network.linear import (
    BFloat16Linear,
    Int8Linear,
    LinearKind,
    quantized_linear_deprecation,
)

_ROUNDS = 4
# bfloat16 takes less off the accuracy than int8: it may take so much longer.
_WORTH = 1.2


@cache
def pick_encoder_linear() -> LinearKind:
    """Format of linear layers over many rows beside an int8 decoder: bfloat16 or int8."""
    if not multiplies_bfloat16():
        return "int8"
    quantized_linear_deprecation()
    linear, inputs = nn.Linear(512, 1024), torch.zeros(512, 512)
    half, byte = _times(BFloat16Linear(linear), Int8Linear(linear), inputs)
    return "bfloat16" if half < _WORTH * byte else "int8"


@cache
def pick_attention_dtype() -> torch.dtype:
    """Format of attention over whole windows: float32 or bfloat16."""
    if not multiplies_bfloat16():
        return torch.float32
    # In memory as the encoder has them: heads side by side.
    heads = torch.zeros(1, 1024, 2, 64).transpose(1, 2)

    def attend(qkv: Tensor) -> Tensor:
        return attend_window(qkv, qkv, qkv)

    half, single = _times(lambda qkv: attend(qkv.bfloat16()), attend, heads)
    return torch.bfloat16 if half < single else torch.float32


def _times(
    one: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor], inputs: Tensor
) -> tuple[float, float]:
    """Shortest times of both on [...], in seconds, on one core: others disturb least there."""

    @torch.inference_mode()
    def measured() -> tuple[float, float]:
        # In the first round libraries prepare.
        rounds = [(_seconds(one, inputs), _seconds(other, inputs)) for _ in range(1 + _ROUNDS)][1:]
        return min(first for first, _ in rounds), min(second for _, second in rounds)

    return in_passing(1, measured)


def _seconds(work: Callable[[Tensor], Tensor], inputs: Tensor) -> float:
    """Of work on [...]."""
    begin = time.perf_counter()
    work(inputs)
    return time.perf_counter() - begin
