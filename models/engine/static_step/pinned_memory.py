"""What goes to the device: from memory of the host that a GPU reads by itself."""

from __future__ import annotations

import torch
from torch import Tensor


def staged(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy in the host's memory, which a copy to the device need not wait for."""
    where = torch.empty_like(tensor, device="cpu", pin_memory=device.type == "cuda")
    return where.copy_(tensor)
