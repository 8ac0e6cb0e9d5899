"""The fused forward on a CPU, its kernels emulated by their arguments: as the decoder's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

import pytest
import torch

from models.engine.cuda_graphs.graph_decoder import GraphRecorder
from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.precision import resolve_precision
from models.engine.static_step.plain_step import Forward, PlainForward
from tests.models.engine.cuda_kernels.emulated import HEAD_DIM, EmulatedKernel
from tests.tiny import TINY, tiny_weights

CPU = torch.device("cpu")
SLOTS, STATE, N_AUDIO_CTX = 36, 2 * HEAD_DIM, 60
SIZES = {"n_audio_state": STATE, "n_text_state": STATE, "n_audio_ctx": N_AUDIO_CTX}
# Rows, and the kernel for their windows; "" is PyTorch's.
WINDOWS = [(1, "attend_window"), (4, "attend_window"), (5, ""), (33, "attend_states")]


@pytest.fixture(scope="module")
def emulated() -> Iterator[None]:
    """A device that has all kernels, and NVIDIA's bindings, if only in name."""
    with pytest.MonkeyPatch.context() as patched:
        if not find_spec("cuda"):
            bindings = ModuleType("cuda.bindings")
            bindings.__dict__.update(driver=None, nvrtc=None)
            patched.setitem(sys.modules, "cuda", ModuleType("cuda"))
            patched.setitem(sys.modules, "cuda.bindings", bindings)
        from models.engine.cuda_kernels import attention_kernel, linear_kernels, states_kernel

        for module in (attention_kernel, linear_kernels, states_kernel):
            patched.setattr(module, "Kernel", EmulatedKernel)
        patched.setattr(attention_kernel, "has_clusters", lambda _: True)
        patched.setattr(states_kernel, "reads_states", lambda _: True)
        yield
    # Nobody else is to find modules that were imported without the bindings.
    for name in [name for name in sys.modules if name.startswith("models.engine.cuda_kernels.")]:
        del sys.modules[name]


@pytest.fixture
def launched(emulated: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all kernels that are launched."""
    names: list[str] = []
    monkeypatch.setattr(EmulatedKernel, "launched", names, raising=False)
    return names


@pytest.fixture(scope="module")
def network() -> Network:
    weights = tiny_weights(n_text_layer=3, **SIZES)
    precision = resolve_precision("float32", CPU)
    return load_network(weights, CPU, precision, layers_per_projection=2)


def filled(network: Network) -> tuple[KVCache, torch.Tensor]:
    """Texts and windows drawn at random, and the windows' states."""
    torch.manual_seed(0)
    cache = KVCache(network.dims, SLOTS, CPU, state=torch.float32, attention=torch.float32)
    cache.text.kv.normal_()
    states = 3 * torch.randn(SLOTS, N_AUDIO_CTX, STATE)
    network.decoder.write_cross(states, cache.cross, torch.arange(SLOTS))
    return cache, states


def steps(forward: Forward, rows: int, scores: torch.Tensor | None) -> torch.Tensor:
    """The states of three steps, [3, rows, STATE]."""
    found = []
    for step in range(3):
        tokens, positions = torch.arange(100, 100 + rows) + step, torch.arange(rows) * 5 + step
        recorder = None if scores is None else GraphRecorder(scores)
        found.append(forward(tokens, positions, TINY.n_text_ctx, recorder))
    return torch.stack(found)


@pytest.mark.parametrize("records", [False, True])
@pytest.mark.parametrize(("rows", "kernel"), WINDOWS)
@torch.inference_mode()
def test_forward_is_that_of_the_decoder(
    network: Network, launched: list[str], rows: int, kernel: str, *, records: bool
) -> None:
    from models.engine.cuda_kernels.fused_forward import FusedForward

    shape = (SLOTS, network.decoder.n_alignment_head, N_AUDIO_CTX)
    results = []
    for kind in (PlainForward, FusedForward):
        cache, states = filled(network)
        forward: PlainForward | FusedForward = kind(network.decoder, cache)
        if isinstance(forward, FusedForward):
            assert forward.states
            forward.states.store(torch.arange(SLOTS), states)
            assert forward.states.nbytes == states.nbytes
        scores = torch.zeros(shape) if records else None
        found = steps(forward, rows, scores)
        results.append((found, cache.text.kv, torch.zeros(1) if scores is None else scores))

    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    windows = {name for name in launched if name in {"attend_window", "attend_states"}}
    watched = sum(len(block.get_buffer("alignment_heads")) > 0 for block in network.decoder.blocks)
    every_layer_is_watched = records and watched == 3
    assert windows == (set() if every_layer_is_watched or not kernel else {kernel})
    assert launched.count("attend_text") == 3 * 3
    assert ("linear" in launched) == (rows <= 4)
