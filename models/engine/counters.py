"""What an engine has done, and how busy it is (light: imports no torch)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class EngineCounters:
    """What the engine has done since it started.

    `batch_sizes` counts decode steps by their number of rows; `shared_steps` those whose rows
    belonged to more than one request; `out_of_memory` the steps for which a device had no memory.
    """

    steps: int = 0
    windows: int = 0
    tokens: int = 0
    fallbacks: int = 0
    cancelled: int = 0
    shared_steps: int = 0
    out_of_memory: int = 0
    batch_sizes: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class EngineState:
    """An engine at one moment: what it runs on and in, windows that wait, slots in use and in all.

    `counters` is what it has done.
    """

    device: str
    dtype: str
    waiting: int
    running: int
    slots: int
    counters: EngineCounters
