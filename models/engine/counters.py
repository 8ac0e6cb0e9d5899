"""What an engine has done, and how busy it is (light: imports no torch)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class EngineCounters:
    """What the engine has done since it started.

    `batch_sizes` counts decode steps by their number of rows; `shared_steps` those whose rows
    belonged to more than one request.
    """

    steps: int = 0
    windows: int = 0
    tokens: int = 0
    fallbacks: int = 0
    cancelled: int = 0
    shared_steps: int = 0
    batch_sizes: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class EngineState:
    """An engine at one moment: windows that wait, slots in use and in all, what it has done."""

    waiting: int
    running: int
    slots: int
    counters: EngineCounters
