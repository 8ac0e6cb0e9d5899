"""The count of what recordings came to."""

from __future__ import annotations

from collections import Counter

from client.backend.outcome import Outcome, Status
from client.terminal.wording import clock


class Tally:
    """How many are done, skipped and failed; `total` is None where there is no last one."""

    def __init__(self, total: int | None = None) -> None:
        self.total = total
        self._counts: Counter[Status] = Counter()
        self._audio = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self._counts[outcome.status] += 1
        self._audio += (outcome.rtfx or 0.0) * outcome.seconds

    def count(self, status: Status) -> int:
        """How many came to this."""
        return self._counts[status]

    @property
    def ended(self) -> int:
        """How many came to anything."""
        return self._counts.total()

    def __str__(self) -> str:
        parts = [f"{self.count('done')} done"]
        parts += [f"{self.count(name)} {name}" for name in _OTHERS if self.count(name)]
        return ", ".join(parts)

    def seconds_left(self, seconds: float) -> float | None:
        """How long the rest takes, by what is done after so many seconds; None: not known."""
        if self.total is None or not (done := self.count("done")):
            return None
        return seconds / done * (self.total - self.ended)

    def summary(self, seconds: float) -> str:
        """All of it in a line, after so many seconds."""
        speed = f", {self._audio / seconds:.1f} times as fast as speech" if self._audio else ""
        return f"{self} in {clock(seconds)}{speed}"


_OTHERS: tuple[Status, ...] = ("skipped", "failed")
