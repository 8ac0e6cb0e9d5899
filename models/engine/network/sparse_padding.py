"""Sparse padding: the encoder computes all positions that hold sound, and some of the rest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.checkpoints.catalogue import FRAMES_PER_POSITION
from models.engine.device.engine_config import Padding

# Positions behind the sound that are computed one by one: Whisper reads the end of the speech
# there, and without them it goes on inventing text.
MARGIN = 100
# So are the last ones of a window, to which Whisper attends far more than to the rest.
END = 32
# Of the padding between one position in so many stands for all of them; for so many positions
# near the sound in fewer.
NEAR, NEAR_STRIDE = 160, 4
STRIDE = 8
# Where in each stride it stands: every remainder in turn, so that no wavelength of the sinusoidal
# positions is always met in the same phase.
_STEPS = {NEAR_STRIDE: 3, STRIDE: 5}


@dataclass(frozen=True, eq=False)
class EncoderPositions:
    """The positions of a window that are computed.

    `index` is [positions], the first `dense` and the last `END` of it without gaps. `log_weight`,
    [positions], is the logarithm of how many positions each stands for: added to attention scores
    it makes a position count so many times. It is None where every position is computed.
    """

    dense: int
    index: Tensor
    log_weight: Tensor | None = None

    @property
    def size(self) -> int:
        """Number of positions that are computed."""
        return len(self.index)


def encoder_positions(
    frames: int, n_ctx: int, padding: Padding, device: torch.device
) -> EncoderPositions:
    """The positions for a window with `frames` frames of sound, out of `n_ctx`.

    Padding is the same everywhere but for the positional embedding, so a part of it, weighted,
    tells the attention nearly as much as all of it.
    """
    dense = -(-frames // FRAMES_PER_POSITION) + MARGIN
    end = n_ctx - END
    if padding == "full" or dense + STRIDE >= end:
        return EncoderPositions(n_ctx, torch.arange(n_ctx, device=device))
    far = min(dense + NEAR, end)
    near_some, near_sizes = _one_in(NEAR_STRIDE, dense, far)
    far_some, far_sizes = _one_in(STRIDE, far, end)
    index = torch.cat([torch.arange(dense), near_some, far_some, torch.arange(end, n_ctx)])
    weight = torch.cat([torch.ones(dense), near_sizes, far_sizes, torch.ones(END)])
    return EncoderPositions(dense, index.to(device), weight.log().to(device))


def _one_in(stride: int, begin: int, end: int) -> tuple[Tensor, Tensor]:
    """One position in `stride`, and for how many each stands: [some] each."""
    starts = torch.arange(begin, end, stride)
    sizes = (end - starts).clamp_max(stride)
    steps = torch.arange(len(starts)) * _STEPS[stride] % stride
    return starts + torch.minimum(steps, sizes - 1), sizes.float()
