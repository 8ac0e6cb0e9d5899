"""The sizes that computations are captured in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def powers_of_two(maximum: int) -> tuple[int, ...]:
    """1, 2, 4 and so on, and `most`."""
    return (*(1 << n for n in range((maximum - 1).bit_length())), maximum)


def with_halves(maximum: int) -> tuple[int, ...]:
    """Powers of two, from 8 on also what lies between two of them, and `most`."""
    sizes = powers_of_two(maximum)
    between = (3 * size // 2 for size in sizes if size >= 8)
    return tuple(sorted({*sizes, *(size for size in between if size < maximum)}))


def smallest_of(sizes: Sequence[int], needed: int) -> int:
    """The least of ascending sizes that is enough."""
    return next(size for size in sizes if size >= needed)


def filled_up(items: Sequence[T], size: int) -> list[T]:
    """So many: after the last one that one again, which does no harm to compute twice."""
    return [*items, *[items[-1]] * (size - len(items))]
