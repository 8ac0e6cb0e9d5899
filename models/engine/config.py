"""How an engine runs: device, number format, slots, threads (light: imports no torch)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineConfig:
    """`device` is auto, cpu, cuda or cuda:N; `dtype` auto, float32, float16, bfloat16
    or int8.

    `slots` is how many windows decode at once, `encode_batch` how many of them may enter in one
    step: the running ones wait for the encoder that long. `threads` are CPU threads, 0 for all.
    """

    device: str = "auto"
    dtype: str = "auto"
    slots: int = 8
    encode_batch: int = 4
    threads: int = 0
