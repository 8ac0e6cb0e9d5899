"""Paired bootstrap: the difference of two error rates over the same clips, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.shared.accuracy import Errors

_DRAWS = 10_000
_TAIL = 2.5


@dataclass(frozen=True)
class Difference:
    """Errors of the first side beyond the second's, in percent of the words; a 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def paired_difference(sides: Sequence[tuple[Errors, Errors]]) -> Difference | None:
    """The difference between the two sides' error rates over clips; None without words.

    The interval is a paired bootstrap over clips (Bisani and Ney, "Bootstrap estimates for
    confidence intervals in ASR performance evaluation", ICASSP 2004). The same clips give the same
    interval.
    """
    words = np.array([one.words for one, _ in sides])
    more = np.array([one.count - other.count for one, other in sides])
    if not words.sum():
        return None
    random = np.random.default_rng(0)
    chosen = random.multinomial(len(sides), np.full(len(sides), 1 / len(sides)), _DRAWS)
    drawn_words = chosen @ words
    # Clips without words alone may be drawn where there are few.
    drawn = 100.0 * (chosen @ more)[drawn_words > 0] / drawn_words[drawn_words > 0]
    low, high = np.percentile(drawn, [_TAIL, 100 - _TAIL])
    return Difference(100.0 * float(more.sum() / words.sum()), float(low), float(high))
