"""One compute thread for all engines on a CPU, round robin, on the cores that are not reserved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

R = TypeVar("R")


class SharedThread:
    """Does one piece of work after another, first come, first served.

    As each engine waits for its work before it brings the next, the one that has waited longest is
    next. One that has much to do looks between two parts of it if the thread `is_wanted`.
    `reserved` cores are for others of this process.
    """

    def __init__(self) -> None:
        without_gradients = torch.inference_mode().__enter__
        self._thread = ThreadPoolExecutor(1, "whisper-compute", initializer=without_gradients)
        self._lock = threading.Lock()
        self._waiting = self.reserved = 0

    @property
    def is_wanted(self) -> bool:
        """True if other work waits."""
        return self._waiting > 0

    def run(self, work: Callable[[], R]) -> R:
        """Do this work in the thread; what it returns or raises."""
        self._count(1)
        return self._thread.submit(self._begin, work).result()

    def _begin(self, work: Callable[[], R]) -> R:
        self._count(-1)
        return work()

    def _count(self, more: int) -> None:
        with self._lock:
            self._waiting += more

    @contextmanager
    def reserving(self, cores: int) -> Iterator[None]:
        """Reserve cores for others of this process, such as a model that is being loaded.

        A team of threads that has to share a core waits for it at every layer.
        """
        self._reserve(cores)
        try:
            yield
        finally:
            self._reserve(-cores)

    def _reserve(self, cores: int) -> None:
        with self._lock:
            self.reserved += cores
