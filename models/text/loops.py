"""Repetition loops: a period of tokens that a text ends in, by direct comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# People say things three times, and count or laugh for a while.
_TIMES = 4
_TOKENS = 16


@dataclass(frozen=True)
class Loop:
    """A loop of `length` tokens at the end of a text, which goes round every `period` tokens.

    `before` is how many tokens the text has before it.
    """

    before: int
    period: int
    length: int

    @property
    def times(self) -> float:
        """The number of repeats; the last one may break off."""
        return self.length / self.period


def loop_at_end(tokens: Sequence[int]) -> Loop | None:
    """The loop of the shortest period that a text ends in.

    One says the same at least four times and for at least 16 tokens; the last time may break off.
    """
    total = len(tokens)
    for period in range(1, total // _TIMES + 1):
        length = period
        while length < total and tokens[-length - 1] == tokens[period - length - 1]:
            length += 1
        if length >= max(_TIMES * period, _TOKENS):
            return Loop(total - length, period, length)
    return None
