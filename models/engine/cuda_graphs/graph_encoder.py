"""Encoder as CUDA graphs on a side stream, in batches of a few sizes, beside decoding."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from whisper.audio import HOP_LENGTH

from models.checkpoints.catalogue import FRAMES_PER_POSITION, Dimensions
from models.engine.cuda_graphs.gpu_log_mel import BatchedLogMel
from models.engine.cuda_graphs.graph_cache import GraphCache, bucket_for, padded_to, powers_of_two
from models.engine.cuda_graphs.launcher import Computation, Launcher
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.sparse_padding import encoder_positions
from models.engine.static_step.pinned_memory import pinned_copy

# Stores the encoder states, [batch, n_audio_ctx, n_audio_state], of windows in slots [batch].
StoreStates = Callable[[Tensor, Tensor], None]


class EncoderInputs:
    """`mel` is the log-mel of up to `maximum` windows, [maximum, n_mels, frames], on the device."""

    def __init__(
        self, dims: Dimensions, launcher: Launcher, maximum: int, device: torch.device
    ) -> None:
        frames = FRAMES_PER_POSITION * dims.n_audio_ctx
        self.mel = torch.zeros(maximum, dims.n_mels, frames, device=device)
        self._samples = torch.zeros(maximum, frames * HOP_LENGTH, device=device)
        self._log_mel = BatchedLogMel(dims.n_mels, device)
        self._make_mel = GraphCache(launcher, self._run, side_stream=True)

    def warm_up(self, size: int) -> None:
        """Capture the log-mel of a batch of this size."""
        self._make_mel.get(size)

    def stage(self, windows: Seq[Tensor], size: int) -> Computation:
        """Copy windows to pinned memory, padded to `size`; what is returned uploads them to `mel`.

        Each is log-mel, [n_mels, frames], or samples, [samples], behind which there is silence.
        """
        rows = padded_to(size, [pinned_copy(window, self.mel.device) for window in windows])
        samples = [(row, window) for row, window in enumerate(rows) if window.dim() == 1]
        mels = [(row, window) for row, window in enumerate(rows) if window.dim() > 1]
        make_mel = self._make_mel.get(size)

        def upload() -> None:
            for row, window in samples:
                self._samples[row, : len(window)].copy_(window, non_blocking=True)
                self._samples[row, len(window) :].zero_()
            if samples:
                make_mel()
            # Behind it: the rows that have no samples are computed as well.
            for row, window in mels:
                self.mel[row].copy_(window, non_blocking=True)

        return upload

    def _run(self, size: int) -> None:
        self.mel[:size] = self._log_mel(self._samples[:size])


class GraphEncoder:
    """Windows to what the cache's slots, and `store_states`, hold of them."""

    def __init__(
        self,
        network: Network,
        cache: KVCache,
        launcher: Launcher,
        maximum: int,
        store_states: StoreStates | None,
    ) -> None:
        self._network, self._cross, self._launcher = network, cache.cross, launcher
        self._store_states = store_states
        dims, device = network.dims, network.device
        self._inputs = EncoderInputs(dims, launcher, maximum, device)
        self._slots = torch.zeros(maximum, dtype=torch.int64, device=device)
        frames = FRAMES_PER_POSITION * dims.n_audio_ctx
        self._positions = encoder_positions(frames, dims.n_audio_ctx, "full", device)
        self._sizes = powers_of_two(maximum)
        self._encode = GraphCache(launcher, self._run, side_stream=True)

    def warm_up(self) -> None:
        """Capture every size, the largest first, as memory is shared."""
        for size in self._sizes[::-1]:
            self._inputs.warm_up(size)
            self._encode.get(size)

    def begin(self, windows: Seq[Tensor], slots: Seq[int]) -> Callable[[], bool]:
        """Encode windows, [n_mels, frames] or [samples] each; the result tells if it is done."""
        size = bucket_for(self._sizes, len(windows))
        upload = self._inputs.stage(windows, size)
        staged_slots = pinned_copy(torch.tensor(padded_to(size, slots)), self._slots.device)
        encode = self._encode.get(size)

        def compute() -> None:
            upload()
            self._slots[:size].copy_(staged_slots, non_blocking=True)
            encode()

        return self._launcher.launch_on_side_stream(compute)

    def _run(self, size: int) -> None:
        slots, states = self._slots[:size], self._inputs.mel[:size].to(self._network.dtype)
        # One by one: of the states before the last nothing is kept.
        for layer_states in self._network.encoder.stages(states, self._positions):
            states = layer_states
        if self._store_states:
            self._store_states(slots, states)
        self._network.decoder.write_cross(states, self._cross, slots)
