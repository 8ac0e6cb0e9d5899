"""Intra-op thread counts, which PyTorch keeps for each thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

R = TypeVar("R")


def cores() -> int:
    """Cores that the calling thread computes with: all, unless it has called `take_cores`."""
    return torch.get_num_threads()


def take_cores(count: int) -> None:
    """Let the calling thread compute with so many cores; the others stay as they are."""
    # Asking first: a thread that never did takes over, when it begins to compute, what some other
    # thread has set last.
    torch.get_num_threads()
    torch.set_num_threads(count)


def in_passing(count: int, work: Callable[[], R]) -> R:
    """Do this work on so many cores, in a thread that ends with it.

    GNU OpenMP keeps a team of threads for each thread that has computed on several cores, and once
    all of them are more than there are cores, none waits busily for its next work any more: each
    operation begins with waking them. So nobody but the engines keeps a team, in one thread for
    all of them.
    """
    before = cores()

    def done() -> R:
        take_cores(count)
        try:
            return work()
        finally:
            take_cores(before)  # threads to come take over what was set last

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(done).result()
