"""Pinned host staging buffers, copied to the device asynchronously."""

from __future__ import annotations

import torch
from torch import Tensor


def pinned_copy(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy in host memory, [...] -> the same, pinned where the device is a GPU."""
    buffer = torch.empty_like(tensor, device="cpu", pin_memory=device.type == "cuda")
    return buffer.copy_(tensor)
