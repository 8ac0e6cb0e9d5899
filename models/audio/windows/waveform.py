"""Waveform of a short recording, for engines that make the log-mel themselves."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from models.audio.mel import LogMel
from models.audio.samples import Samples
from models.units import HOP


class Waveform:
    """As `LogMel`, of at most 30 s, but its first window is the samples, [samples].

    The windows behind it, which few recordings have, are log-mel: they are measured by the loudest
    place of all.
    """

    fits_one_window = True

    def __init__(self, samples: Samples, n_mels: int) -> None:
        self._samples, self._n_mels = samples, n_mels
        self.frames = len(samples) // HOP

    def window(self, seek: int) -> Tensor:
        """The samples, or the log-mel that starts at frame `seek`, [n_mels, 3000]."""
        return self._mel.window(seek) if seek else torch.from_numpy(self._samples)

    def content(self, seek: int) -> int:
        """The number of the recording's frames in the window at frame `seek`."""
        return self.frames - seek

    def is_ready(self, seek: int) -> bool:
        """The first is; the others are made together, when one of them is asked for."""
        return seek == 0 or "_mel" in vars(self)

    def read_ahead(self, seek: int) -> None:
        """There is nothing to read."""

    @cached_property
    def _mel(self) -> LogMel:
        return LogMel(self._samples, self._n_mels)
