"""One computation in several sizes, each captured when it is asked for first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVarTuple

from models.engine.cuda_graphs.launcher import Computation, Launcher

Size = TypeVarTuple("Size")


class GraphCache(Generic[*Size]):
    """`compute`, captured for each size."""

    def __init__(
        self, launcher: Launcher, compute: Callable[[*Size], None], *, side_stream: bool = False
    ) -> None:
        self._launcher, self._compute, self._side_stream = launcher, compute, side_stream
        self._captured: dict[tuple[*Size], Computation] = {}

    def of(self, *size: *Size) -> Computation:
        """The computation of this size."""
        if size not in self._captured:
            compute = partial(self._compute, *size)
            self._captured[size] = self._launcher.capture(compute, side_stream=self._side_stream)
        return self._captured[size]
