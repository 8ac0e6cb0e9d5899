"""What a GPU can do, told by PyTorch alone."""

from __future__ import annotations

import torch

# Kernels that begin before the last one has ended are there from Hopper on, and so are clusters.
_HOPPER = (9, 0)
# Bytes of shared memory of a multiprocessor: those for servers have so many, others half of it.
_ROOMY = 228 * 1024


def has_clusters(device: torch.device) -> bool:
    """Whether blocks can read each other's memory there."""
    return torch.cuda.get_device_capability(device) >= _HOPPER


def reads_states(device: torch.device) -> bool:
    """Whether decode steps with many rows can read the states of windows there (states.cu)."""
    room = torch.cuda.get_device_properties(device).shared_memory_per_multiprocessor
    return has_clusters(device) and room >= _ROOMY
