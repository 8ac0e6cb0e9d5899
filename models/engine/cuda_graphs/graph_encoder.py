"""Windows encoded in batches of a few sizes, aside from decoding."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.checkpoints.catalogue import FRAMES_PER_POSITION
from models.engine.cuda_graphs.batch_buckets import filled_up, powers_of_two, smallest_of
from models.engine.cuda_graphs.encoder_inputs import EncoderInputs
from models.engine.cuda_graphs.graph_cache import GraphCache
from models.engine.cuda_graphs.launcher import Launcher
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.sparse_padding import encoder_positions
from models.engine.static_step.pinned_memory import staged


class GraphEncoder:
    """From windows to what the cache's slots have of them."""

    def __init__(self, network: Network, cache: KVCache, launcher: Launcher, maximum: int) -> None:
        self._network, self._cache, self._launcher = network, cache, launcher
        dims, device = network.dims, network.device
        self._inputs = EncoderInputs(dims, launcher, maximum, device)
        self._slots = torch.zeros(maximum, dtype=torch.int64, device=device)
        frames = FRAMES_PER_POSITION * dims.n_audio_ctx
        self._kept = encoder_positions(frames, dims.n_audio_ctx, "full", device)
        self._sizes = powers_of_two(maximum)
        self._encode = GraphCache(launcher, self._run, side_stream=True)

    def warm_up(self) -> None:
        """Capture every size, the largest first, as memory is shared."""
        for size in self._sizes[::-1]:
            self._inputs.warm_up(size)
            self._encode.of(size)

    def begin(self, windows: Seq[Tensor], slots: Seq[int]) -> Callable[[], bool]:
        """Encode windows, log-mel or samples; what is returned tells whether that is done."""
        size = smallest_of(self._sizes, len(windows))
        bring = self._inputs.stage(windows, size)
        where = staged(torch.tensor(filled_up(slots, size)), self._slots.device)
        encode = self._encode.of(size)

        def compute() -> None:
            bring()
            self._slots[:size].copy_(where, non_blocking=True)
            encode()

        return self._launcher.launch_on_side_stream(compute)

    def _run(self, size: int) -> None:
        slots, audio = self._slots[:size], self._inputs.mel[:size].to(self._network.dtype)
        # One by one: of the states before the last nothing is kept.
        for states in self._network.encoder.stages(audio, self._kept):
            audio = states
        self._cache.write_states(slots, audio)
        self._network.decoder.write_cross(audio, self._cache, slots)
