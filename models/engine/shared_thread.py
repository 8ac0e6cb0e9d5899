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

    As each waits for its work before it brings the next, whoever has waited longest is next.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "whisper-compute")
        self._lock = threading.Lock()
        self.lent = 0

    def run(self, work: Callable[[], R]) -> R:
        """What the work returns or raises."""
        return self._thread.submit(torch.inference_mode()(work)).result()

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
