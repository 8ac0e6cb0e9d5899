"""Loops at the end of a text: the same words again and again, which nobody has said."""

from __future__ import annotations

from collections.abc import Sequence

# People say things three times, and count or laugh for a while.
_TIMES = 4
_TOKENS = 16


def without_loop(tokens: Sequence[int]) -> int:
    """How many of a window's text tokens to keep: of a loop at the end its words once.

    A loop says the same at least four times and for at least 16 tokens; the last time may break
    off.
    """
    total = len(tokens)
    for period in range(1, total // _TIMES + 1):
        length = period
        while length < total and tokens[-length - 1] == tokens[period - length - 1]:
            length += 1
        if length >= max(_TIMES * period, _TOKENS):
            return total - length + period
    return total
