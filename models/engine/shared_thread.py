"""One thread that computes for all engines on a CPU, in turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

R = TypeVar("R")


class SharedThread:
    """Does one piece of work after another, in the order they come in.

    As each waits for its work before it brings the next, whoever has waited longest is next.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "whisper-compute")

    def run(self, work: Callable[[], R]) -> R:
        """What the work returns or raises."""
        return self._thread.submit(torch.inference_mode()(work)).result()
