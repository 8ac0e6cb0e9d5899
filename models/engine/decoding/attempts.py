"""Temperature fallback: the attempts at one window, several at a time where slots allow.

What is drawn depends on the attempt and the place in the text alone, so attempts in parallel give
the same texts as one after another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from models.engine.decoding.sequence import DecodingResult, Sequence, Window


@dataclass(frozen=True, eq=False)
class Attempt:
    """The result of one temperature, and the alignment heads' scores.

    `scores` has for each token but the first a tensor [heads, positions] a layer.
    """

    result: DecodingResult
    scores: list[list[Tensor]]

    def on_host(self) -> Attempt:
        """The same in the host's memory."""
        return Attempt(self.result, [[layer.cpu() for layer in step] for step in self.scores])


class Attempts:
    """The attempts at a window that are still to begin, the `rows` that make some, the best yet.

    The first in the order of the temperatures that is accepted is the result, whichever ends first.
    """

    def __init__(self, window: Window, first: Sequence) -> None:
        self._window = window
        self.rows = [first]
        self._waiting = list(range(1, len(window.temperatures)))
        # Of those that failed the best alone, as each may hold much.
        self._failed: Attempt | None = None
        self._accepted: Attempt | None = None
        self._last = len(window.temperatures)
        self._logprobs: dict[int, float] = {}

    @property
    def are_left(self) -> bool:
        """True if another attempt is to begin."""
        return bool(self._waiting)

    def begin(self) -> int:
        """The number of the next attempt, which begins now."""
        return self._waiting.pop(0)

    def postpone(self, row: Sequence) -> None:
        """Preempt a row: another one makes its attempt anew."""
        self.rows.remove(row)
        self._waiting = sorted([*self._waiting, row.attempt])

    def fail(self, number: int, attempt: Attempt) -> None:
        """Note one that was not accepted."""
        self._logprobs[number] = attempt.result.avg_logprob
        self._failed = max(self._failed or attempt, attempt, key=self._rank)

    def accept(self, number: int, attempt: Attempt) -> list[Sequence]:
        """Note one that was accepted; the rows of later attempts, which are not needed any more."""
        self._logprobs[number] = attempt.result.avg_logprob
        self._accepted, self._last = attempt, number
        self._waiting = [waiting for waiting in self._waiting if waiting < number]
        return [row for row in self.rows if row.attempt > number]

    def best(self) -> Attempt:
        """Once no row is left: the one accepted, or the one of highest rank where none was."""
        best = self._accepted or self._failed
        assert best is not None
        # Of those behind the one accepted some are made and some are not, as slots allow.
        minimum = min(logprob for n, logprob in self._logprobs.items() if n <= self._last)
        return replace(best, result=replace(best.result, min_logprob=minimum))

    def _rank(self, attempt: Attempt) -> tuple[float, ...]:
        return self._window.prefer(attempt.result)
