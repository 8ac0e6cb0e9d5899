"""What windows bring to the device: their log-mel, or samples of which it is made there."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from whisper.audio import HOP_LENGTH

from models.checkpoints.catalogue import FRAMES_PER_POSITION, Dimensions
from models.engine.cuda_graphs.batch_buckets import filled_up
from models.engine.cuda_graphs.gpu_log_mel import BatchedLogMel
from models.engine.cuda_graphs.graph_cache import GraphCache
from models.engine.cuda_graphs.launcher import Computation, Launcher
from models.engine.static_step.pinned_memory import staged


class EncoderInputs:
    """`mel` is the log-mel of up to `most` windows, [most, n_mels, frames], on the device."""

    def __init__(
        self, dims: Dimensions, launcher: Launcher, maximum: int, device: torch.device
    ) -> None:
        frames = FRAMES_PER_POSITION * dims.n_audio_ctx
        self.mel = torch.zeros(maximum, dims.n_mels, frames, device=device)
        self._samples = torch.zeros(maximum, frames * HOP_LENGTH, device=device)
        self._log_mel = BatchedLogMel(dims.n_mels, device)
        self._hear = GraphCache(launcher, self._run, side_stream=True)

    def warm_up(self, size: int) -> None:
        """Capture what is computed for so many windows."""
        self._hear.of(size)

    def stage(self, windows: Seq[Tensor], size: int) -> Computation:
        """What brings these, filled up to `size`, to `mel` from memory that a GPU reads by itself.

        Each is log-mel, [n_mels, frames], or samples, [samples], behind which there is silence.
        """
        rows = filled_up([staged(window, self.mel.device) for window in windows], size)
        sounds = [(row, window) for row, window in enumerate(rows) if window.dim() == 1]
        mels = [(row, window) for row, window in enumerate(rows) if window.dim() > 1]
        hear = self._hear.of(size)

        def bring() -> None:
            for row, samples in sounds:
                self._samples[row, : len(samples)].copy_(samples, non_blocking=True)
                self._samples[row, len(samples) :].zero_()
            if sounds:
                hear()
            # Behind it: the rows that have no samples are computed as well.
            for row, mel in mels:
                self.mel[row].copy_(mel, non_blocking=True)

        return bring

    def _run(self, size: int) -> None:
        self.mel[:size] = self._log_mel(self._samples[:size])
