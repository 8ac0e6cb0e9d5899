"""Configuration of an engine: device, number format, slots, threads (light: imports no torch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Padding = Literal["full", "thin"]

# Default number of slots: in int8, where they are small, and otherwise.
MAX_SLOTS, FEWER_SLOTS = 16, 8
# On a GPU that has memory for them.
MAX_SLOTS_ON_GPU = 64


@dataclass(frozen=True)
class EngineConfig:
    """`device` is auto, cpu, cuda or cuda:N; `dtype` auto, float32, float16, bfloat16
    or int8.

    `padding` full computes every position of a window, thin only a part of those without sound;
    auto is thin on a CPU but for float32, which is there for openai-whisper's exact tokens.
    `slots` is how many windows decode at once, 0 for 16 in int8 and 8 otherwise, on a GPU up to 64,
    as memory allows; `encode_batch` how many of them a GPU encodes together. `threads` are CPU
    threads, 0 for all.
    """

    device: str = "auto"
    dtype: str = "auto"
    padding: Literal["auto", "full", "thin"] = "auto"
    slots: int = 0
    encode_batch: int = 4
    threads: int = 0
