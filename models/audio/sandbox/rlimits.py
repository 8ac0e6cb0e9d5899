"""Resource limits of one sandboxed pass over a recording."""

from __future__ import annotations

from dataclasses import dataclass

from models.units import MIB


@dataclass(frozen=True)
class Limits:
    """Bounds of one pass over a recording."""

    # Of audio; 0: any length.
    max_seconds: int = 0
    # Of the child, beyond what it has at its start.
    memory_bytes: int = 512 * MIB
    cpu_seconds: int = 600
    # How long the next piece may take.
    patience_seconds: float = 30
