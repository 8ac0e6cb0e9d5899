"""In which format this CPU encodes fastest: tried, as its instructions do not tell.

bfloat16 products take half as long as float32's on AMD's Zen 5, longer than them on an Intel CPU
whose AMX is hidden from a virtual machine, and a tenth where there is AMX.
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
    """How linear layers over many rows multiply beside an int8 decoder: bfloat16 or int8."""
    if not multiplies_bfloat16():
        return "int8"
    quantized_linear_deprecation()
    linear, x = nn.Linear(512, 1024), torch.zeros(512, 512)
    half, byte = _times(BFloat16Linear(linear), Int8Linear(linear), x)
    return "bfloat16" if half < _WORTH * byte else "int8"


@cache
def pick_attention_dtype() -> torch.dtype:
    """The format of attention over whole windows, of those as accurate as it has to be."""
    if not multiplies_bfloat16():
        return torch.float32
    # In memory as the encoder has them: heads side by side.
    x = torch.zeros(1, 1024, 2, 64).transpose(1, 2)

    def attend(x: Tensor) -> Tensor:
        return attend_window(x, x, x)

    half, single = _times(lambda x: attend(x.bfloat16()), attend, x)
    return torch.bfloat16 if half < single else torch.float32


def _times(
    one: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor], x: Tensor
) -> tuple[float, float]:
    """The shortest times of the two on one core: what else runs counts less there than on all."""

    @torch.inference_mode()
    def measured() -> tuple[float, float]:
        # In the first round libraries prepare.
        rounds = [(_seconds(one, x), _seconds(other, x)) for _ in range(1 + _ROUNDS)][1:]
        return min(first for first, _ in rounds), min(second for _, second in rounds)

    return in_passing(1, measured)


def _seconds(work: Callable[[Tensor], Tensor], x: Tensor) -> float:
    begin = time.perf_counter()
    work(x)
    return time.perf_counter() - begin
