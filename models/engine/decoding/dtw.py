"""Dynamic time warping of tokens and positions, many windows at once."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

# How the cheapest path to each cell came from the row before, [windows, positions] each: at which
# position it entered the row, and whether a cell is entered from the position before its own.
Entries = tuple[NDArray[np.int64], NDArray[np.bool_]]


def first_positions(costs: Seq[Tensor]) -> list[list[int]]:
    """The position at which each token begins, for windows' costs [tokens, positions].

    The cheapest path through a window goes on by a token, by a position, or by both; it begins with
    the first of both and ends with the last of both.
    """
    if not costs:
        return []
    tokens, positions = (max(cost.shape[axis] for cost in costs) for axis in (0, 1))
    # The padding lies behind a window's own end, where no path back begins.
    padded = [
        F.pad(cost.double(), (0, positions - cost.shape[1], 0, tokens - cost.shape[0]))
        for cost in costs
    ]
    entries = list(_entries(torch.stack(padded).cpu()))
    return [_backtrace(entries, window, *cost.shape) for window, cost in enumerate(costs)]


def _entries(costs: Tensor) -> Iterator[Entries]:
    """For each token but the first, of [windows, tokens, positions].

    A whole row at once: to go along a row costs the difference of its running sums, so the best
    place to have entered it is where the rest is smallest.
    """
    along = costs.cumsum(-1)
    best = along[:, 0]
    for row in range(1, costs.shape[1]):
        before = F.pad(best[:, :-1], (1, 0), value=float("inf"))
        entering = torch.minimum(before, best) - (along[:, row] - costs[:, row])
        minimum, where = entering.cummin(-1)
        yield where.numpy(), (before < best).numpy()
        best = minimum + along[:, row]


def _backtrace(entries: Seq[Entries], window: int, tokens: int, positions: int) -> list[int]:
    """Where each token begins, from the end of a window backwards."""
    firsts, position = [0] * tokens, positions - 1
    for token in range(tokens - 1, 0, -1):
        where, is_diagonal = entries[token - 1]
        firsts[token] = int(where[window, position])
        position = firsts[token] - int(is_diagonal[window, firsts[token]])
    return firsts
