"""Stats of a session's turns: what they have taken of the engine since it was last asked."""

from __future__ import annotations

from dataclasses import dataclass

from models.request_stats import RequestStats


@dataclass
class _Part:
    """A turn's stats, and a copy of them as they were when they were taken last."""

    model: str
    stats: RequestStats
    taken: RequestStats
    is_over: bool = False


class TurnStats:
    """The stats of turns by number, each of one model, until they are over and all is taken."""

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def begin(self, turn: int, model: str) -> RequestStats:
        """The stats of a turn that this model hears."""
        stats = RequestStats()
        self._parts[turn] = _Part(model, stats, stats.snapshot())
        return stats

    def end(self, turn: int) -> None:
        """A turn is over, or was cleared: nothing more of it goes to the engine."""
        if part := self._parts.get(turn):
            part.is_over = True

    def take(self) -> dict[str, RequestStats]:
        """What has come since the last time, by model."""
        taken: dict[str, RequestStats] = {}
        for turn, part in list(self._parts.items()):
            # First: the engine may take its window out in between.
            is_done = part.is_over and not part.stats.is_running
            now = part.stats.snapshot()
            taken.setdefault(part.model, RequestStats()).add(now.since(part.taken))
            part.taken = now
            if is_done:
                del self._parts[turn]
        return taken
