"""CUDA graph launcher on two streams, and its reference that computes at once on any device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import torch

from models.engine.cuda_graphs.fastest_step import fastest_step
from models.engine.decoding.token_rules import TokenRules
from models.engine.device.gpu_sharing import capture_lock, take_streams
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache
from models.engine.static_step.plain_step import Step, plain_step

Computation = Callable[[], None]


class Launcher(Protocol):
    """Starts computations of static shapes; those on the side stream run beside the others."""

    def computing(self) -> AbstractContextManager[None]:
        """Context of a thread that computes."""
        ...

    def capture(self, compute: Computation, *, side_stream: bool = False) -> Computation:
        """A computation that does the same as `compute`, for less of the host's time."""
        ...

    def step(self, decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
        """The decode step of this device."""
        ...

    def launch_on_side_stream(self, compute: Computation) -> Callable[[], bool]:
        """Start it on the side stream; the result tells if it is done."""
        ...

    def wait(self) -> None:
        """Return when the side stream is done."""
        ...


class DirectLauncher:
    """The reference: computes at once, on any device.

    With it tests hold the parts of `GraphBackend` against `PlainBackend` on a CPU, step by step.
    """

    def computing(self) -> AbstractContextManager[None]:
        """Without gradients."""
        return torch.inference_mode()

    def capture(self, compute: Computation, *, side_stream: bool = False) -> Computation:
        """The computation as it is."""
        return compute

    def step(self, decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
        """In PyTorch."""
        return plain_step(decoder, cache, rules)

    def launch_on_side_stream(self, compute: Computation) -> Callable[[], bool]:
        """Done at once."""
        compute()
        return lambda: True

    def wait(self) -> None:
        """Nothing is under way."""


class GraphLauncher:
    """CUDA graphs on two streams.

    The side stream gets what the other stream, which has priority, leaves of the device. The graphs
    of a stream share their memory, as one runs after another.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._main, self._side_stream = take_streams(self, device)
        self._pools = [torch.cuda.graph_pool_handle() for _ in range(2)]
        self._last = _event()

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Without gradients, on the stream that has priority."""
        with torch.inference_mode(), torch.cuda.device(self._device), torch.cuda.stream(self._main):
            yield

    def capture(self, compute: Computation, *, side_stream: bool = False) -> Computation:
        """The computation as a graph; it is run once before, for what is set up the first time."""
        stream = self._side_stream if side_stream else self._main
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            compute()
        graph, pool = torch.cuda.CUDAGraph(), self._pools[side_stream]
        with capture_lock():
            torch.cuda.synchronize()
            # Other engines of this process go on meanwhile.
            with torch.cuda.graph(graph, pool, stream, capture_error_mode="thread_local"):
                compute()
        return graph.replay

    def step(self, decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
        """In kernels of our own, where there are some."""
        return fastest_step(decoder, cache, rules)

    def launch_on_side_stream(self, compute: Computation) -> Callable[[], bool]:
        """Start it on the side stream."""
        done = _event()
        with torch.cuda.stream(self._side_stream):
            compute()
            done.record()
        self._last = done
        return done.query

    def wait(self) -> None:
        """Until what was launched last on the side stream is done."""
        self._last.synchronize()


def _event() -> torch.cuda.Event:
    # A host that waits for it sleeps, and leaves its core to others.
    return torch.cuda.Event(blocking=True)
