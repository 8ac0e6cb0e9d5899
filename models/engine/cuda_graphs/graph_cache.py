"""CUDA graph capture and replay by batch bucket: each size is captured once, when first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar, TypeVarTuple

from models.engine.cuda_graphs.launcher import Computation, Launcher

Item = TypeVar("Item")
Size = TypeVarTuple("Size")


class GraphCache(Generic[*Size]):
    """`compute`, captured for each size."""

    def __init__(
        self, launcher: Launcher, compute: Callable[[*Size], None], *, side_stream: bool = False
    ) -> None:
        self._launcher, self._compute, self._side_stream = launcher, compute, side_stream
        self._captured: dict[tuple[*Size], Computation] = {}

    def get(self, *size: *Size) -> Computation:
        """The computation of this size."""
        if size not in self._captured:
            compute = partial(self._compute, *size)
            self._captured[size] = self._launcher.capture(compute, side_stream=self._side_stream)
        return self._captured[size]


def powers_of_two(maximum: int) -> tuple[int, ...]:
    """Buckets 1, 2, 4 and so on, and `maximum`."""
    return (*(1 << n for n in range((maximum - 1).bit_length())), maximum)


def with_halves(maximum: int) -> tuple[int, ...]:
    """Buckets of powers of two, from 8 on also what lies between two of them, and `maximum`."""
    sizes = powers_of_two(maximum)
    between = (3 * size // 2 for size in sizes if size >= 8)
    return tuple(sorted({*sizes, *(size for size in between if size < maximum)}))


def bucket_for(sizes: Sequence[int], needed: int) -> int:
    """The smallest of ascending sizes that is enough."""
    return next(size for size in sizes if size >= needed)


def padded_to(size: int, items: Sequence[Item]) -> list[Item]:
    """So many items: after the last one that one again, which does no harm to compute twice."""
    return [*items, *[items[-1]] * (size - len(items))]
