"""Counters of an engine, and its load at a moment (light: imports no torch)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class EngineCounters:
    """Counts since the engine started.

    `batch_sizes` counts decode steps by their number of rows; `out_of_memory` the steps for which a
    device had no memory.
    """

    steps: int = 0
    windows: int = 0
    tokens: int = 0
    fallbacks: int = 0
    cancelled: int = 0
    out_of_memory: int = 0
    batch_sizes: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class EngineState:
    """An engine at one moment: `waiting` windows without a slot, `running` of its `slots`."""

    device: str
    dtype: str
    waiting: int
    running: int
    slots: int
    counters: EngineCounters
