"""How many cores a thread computes with, which PyTorch keeps for each thread."""

from __future__ import annotations

import torch


def cores() -> int:
    """How many the thread that calls this computes with: all, unless it has been told."""
    return torch.get_num_threads()


def take_cores(count: int) -> None:
    """Let the thread that calls this compute with so many; the others stay as they are."""
    # Asking first: a thread that never did takes over, when it begins to compute, what some other
    # thread has set last.
    torch.get_num_threads()
    torch.set_num_threads(count)
