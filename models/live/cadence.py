"""Cadence: how often a session may ask the engine, by how long the engine takes."""

from __future__ import annotations

from dataclasses import dataclass

# Seconds between the beginnings of two updates, at least; and how many times the last one's
# duration, so that a session leaves the engine half of its time.
_SHORTEST = 0.5
_TIMES = 2.0


@dataclass
class Cadence:
    """Updates of one session; times are seconds of a monotonic clock."""

    next_at: float = 0.0
    _began: float = 0.0

    def begin(self, now: float) -> None:
        """Note that an update begins."""
        self._began = now
        self.next_at = now + _SHORTEST

    def end(self, now: float) -> None:
        """Note that it has ended."""
        self.next_at = self._began + max(_SHORTEST, _TIMES * (now - self._began))
