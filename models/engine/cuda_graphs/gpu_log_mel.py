"""Log-mel on the GPU, a batch of windows at once, as in openai-whisper (whisper/audio.py)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from whisper.audio import HOP_LENGTH, N_FFT, mel_filters

_BINS = N_FFT // 2 + 1


class BatchedLogMel:
    """Log-mel of windows, each normalised by its own loudest place.

    The Fourier transform is a product with its matrix: what it costs is nothing beside the encoder,
    it needs no library of its own, and a graph captures it.
    """

    def __init__(self, n_mels: int, device: torch.device) -> None:
        self._waves = _waves().to(device)
        self._filters = mel_filters("cpu", n_mels).T.contiguous().to(device)

    def __call__(self, samples: Tensor) -> Tensor:
        """[batch, samples] float32 -> [batch, n_mels, samples / 160]."""
        edge = N_FFT // 2
        padded = F.pad(samples[:, None], (edge, edge), mode="reflect")[:, 0]
        frames = padded.unfold(-1, N_FFT, HOP_LENGTH)[:, :-1]
        cosines, sines = (frames @ self._waves).square_().split(_BINS, dim=-1)
        mel = ((cosines + sines) @ self._filters).clamp_(min=1e-10).log10_()
        loudest = mel.amax((1, 2), keepdim=True)
        return ((torch.maximum(mel, loudest - 8.0) + 4.0) / 4.0).mT


def _waves() -> Tensor:
    """Cosines, then sines, under Hann's window, [N_FFT, 2 * bins]."""
    places = torch.arange(N_FFT, dtype=torch.float64)
    # Angles of at most one turn keep their last digits.
    turns = places[:, None] * torch.arange(_BINS) % N_FFT / N_FFT
    angles = 2 * math.pi * turns
    window = torch.hann_window(N_FFT, dtype=torch.float64)[:, None]
    return (torch.cat([angles.cos(), angles.sin()], dim=1) * window).float()
