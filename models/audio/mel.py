"""Samples to log-mel, as openai-whisper computes it (whisper/audio.py)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from whisper.audio import HOP_LENGTH, N_FRAMES, N_SAMPLES, log_mel_spectrogram, pad_or_trim

Samples = NDArray[np.float32]


class LogMel:
    """The log-mel of one recording, handed out as windows of 3000 frames.

    A recording of at most 30 s is seen as `whisper.decode`'s users see it: padded with silence
    to 30 s. A longer one as `whisper.transcribe` sees it: one log-mel over the whole file, whose
    windows are padded with zeros.
    """

    def __init__(self, samples: Samples, n_mels: int) -> None:
        self.frames = len(samples) // HOP_LENGTH
        self.fits_one_window = len(samples) <= N_SAMPLES
        padding = N_SAMPLES - len(samples) if self.fits_one_window else N_SAMPLES
        self._mel = log_mel_spectrogram(torch.from_numpy(samples), n_mels, padding=padding)

    def window(self, seek: int) -> Tensor:
        """The window that starts at frame `seek`, [n_mels, 3000]."""
        if seek == 0 and self.fits_one_window:
            return self._mel
        return pad_or_trim(self._mel[:, seek : seek + self.content(seek)], N_FRAMES)

    def content(self, seek: int) -> int:
        """How many frames of the recording the window at frame `seek` holds."""
        return min(N_FRAMES, self.frames - seek)
