"""One computation in several sizes, each captured when it is asked for first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVarTuple

from models.engine.cuda_graphs.launcher import Computation, Launcher

Size = TypeVarTuple("Size")


class Captures(Generic[*Size]):
    """`compute`, captured for each size."""

    def __init__(
        self, launcher: Launcher, compute: Callable[[*Size], None], *, aside: bool = False
    ) -> None:
        self._launcher, self._compute, self._aside = launcher, compute, aside
        self._captured: dict[tuple[*Size], Computation] = {}

    def of(self, *size: *Size) -> Computation:
        """The computation of this size."""
        if size not in self._captured:
            compute = partial(self._compute, *size)
            self._captured[size] = self._launcher.capture(compute, aside=self._aside)
        return self._captured[size]
