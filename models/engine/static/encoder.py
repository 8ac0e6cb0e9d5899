"""Windows encoded in batches of a few sizes, aside from decoding."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.cache import KVCache
from models.engine.network import Network
from models.engine.padding import FRAMES_PER_POSITION, Kept
from models.engine.static.launch import Computation, Launcher
from models.engine.static.sizes import least_of, powers_of_two


class StaticEncoder:
    """From log-mel windows to their keys and values in the cache's slots."""

    def __init__(self, network: Network, cache: KVCache, launcher: Launcher, most: int) -> None:
        self._network, self._cache, self._launcher = network, cache, launcher
        dims, device = network.dims, network.device
        frames = FRAMES_PER_POSITION * dims.n_audio_ctx
        self._mel = torch.zeros(most, dims.n_mels, frames, device=device)
        self._slots = torch.zeros(most, dtype=torch.int64, device=device)
        self._kept = Kept(dims.n_audio_ctx, torch.arange(dims.n_audio_ctx, device=device))
        self._sizes = powers_of_two(most)
        self._encode = {
            size: launcher.capture(self._encoding(size), aside=True) for size in self._sizes[::-1]
        }

    def begin(self, mel: Seq[Tensor], slots: Seq[int]) -> Callable[[], bool]:
        """Encode windows, [n_mels, frames] each; what is returned tells whether that is done."""
        size = least_of(self._sizes, len(mel))
        # The last window again, where the batch is larger.
        rows = [min(row, len(mel) - 1) for row in range(size)]
        staged = self._staged(torch.float32, *self._mel[:size].shape)
        torch.stack([mel[row] for row in rows], out=staged)
        where = self._staged(torch.int64, size)
        where.copy_(torch.tensor([slots[row] for row in rows]))

        def compute() -> None:
            self._mel[:size].copy_(staged, non_blocking=True)
            self._slots[:size].copy_(where, non_blocking=True)
            self._encode[size]()

        return self._launcher.begin_aside(compute)

    def _encoding(self, size: int) -> Computation:
        def encode() -> None:
            network = self._network
            mel = self._mel[:size].to(network.dtype)
            *_, states = network.encoder.stages(mel, self._kept)
            network.decoder.write_cross(states, self._cache, self._slots[:size])

        return encode

    def _staged(self, dtype: torch.dtype, *shape: int) -> Tensor:
        """Memory of the host that a GPU reads by itself."""
        return torch.empty(shape, dtype=dtype, pin_memory=self._mel.is_cuda)
