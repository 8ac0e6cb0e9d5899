"""One thread that computes for all engines on a CPU, in turn, on the cores that it has not lent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

R = TypeVar("R")


class SharedThread:
    """Does one piece of work after another, in the order they come in.

    As each waits for its work before it brings the next, whoever has waited longest is next. Who
    has much to do looks between two parts of it whether the thread `is_wanted`.
    """

    def __init__(self) -> None:
        without_gradients = torch.inference_mode().__enter__
        self._thread = ThreadPoolExecutor(1, "whisper-compute", initializer=without_gradients)
        self._lock = threading.Lock()
        self._waiting = self.lent = 0

    @property
    def is_wanted(self) -> bool:
        """Whether other work waits."""
        return self._waiting > 0

    def run(self, work: Callable[[], R]) -> R:
        """What the work returns or raises."""
        self._count(1)
        return self._thread.submit(self._begin, work).result()

    def _begin(self, work: Callable[[], R]) -> R:
        self._count(-1)
        return work()

    def _count(self, more: int) -> None:
        with self._lock:
            self._waiting += more

    @contextmanager
    def lending(self, cores: int) -> Iterator[None]:
        """So many are for others of this process meanwhile, such as a model that is being loaded.

        A team of threads that has to share a core waits for it at every layer.
        """
        self._lend(cores)
        try:
            yield
        finally:
            self._lend(-cores)

    def _lend(self, cores: int) -> None:
        with self._lock:
            self.lent += cores
