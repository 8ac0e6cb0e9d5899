"""The engine without the folders that it can do without: the kernels, and all of CUDA on a CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import torch

from models.engine.cuda_graphs.fastest_step import fastest_step, kernel_bytes_per_slot
from models.engine.cuda_graphs.graph_backend import GraphBackend
from models.engine.cuda_graphs.launcher import DirectLauncher
from models.engine.decoding.sequence import Window
from models.engine.decoding.token_rules import TokenRules
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.device.engine_config import EngineConfig
from models.engine.engine import Engine
from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Decoder, Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.plain_backend import PlainBackend
from models.engine.network.precision import Precision, resolve_precision
from models.engine.start import start_engine
from models.engine.static_step.plain_step import PlainChoice, PlainForward, Step
from tests.tiny import TINY, tiny_weights

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")
FLOAT32 = resolve_precision("float32", CPU)
HALF = Precision("float16", torch.float16, torch.float16)
CONFIG = EngineConfig(device="cpu", dtype="float32", slots=3)

# A CPU's engine in a process for which two rooms do not exist; it prints the tokens of a window.
WITHOUT_CUDA = """
import json, sys
rooms = ("models.engine.cuda_kernels", "models.engine.cuda_graphs")
sys.modules.update(dict.fromkeys(rooms))
import torch
from models.engine.decoding.sequence import Window
from models.engine.device.engine_config import EngineConfig
from models.engine.start import engine_bytes, start_engine
from tests.tiny import TINY, tiny_weights
config = EngineConfig(device="cpu", dtype="float32", slots=3)
engine = start_engine(tiny_weights(), config)
mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(0))
result = engine.submit(Window("0", mel, language="en")).result(60)
engine.close()
assert engine_bytes(TINY, config) == engine.backend.nbytes
assert all(sys.modules[room] is None for room in rooms)
print(json.dumps(result.tokens))
"""


class StepOfGraphs(DirectLauncher):
    """Computes at once, with the decode step that `GraphLauncher` would take."""

    def step(self, decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
        """The fastest step that there is."""
        return fastest_step(decoder, cache, rules)


@pytest.fixture
def without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing them fails as if the folder had been deleted."""
    for name in [name for name in sys.modules if name.startswith("models.engine.cuda_kernels.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "models.engine.cuda_kernels", None)


@pytest.fixture(scope="module")
def network() -> Network:
    return load_network(tiny_weights(), CPU, FLOAT32)


def tokens_of(engine: Engine, count: int = 3) -> list[tuple[int, ...]]:
    mels = [torch.randn(80, 3000, generator=torch.Generator().manual_seed(n)) for n in range(count)]
    with closing(engine):
        futures = [engine.submit(Window(str(n), mel, language="en")) for n, mel in enumerate(mels)]
        return [future.result(60).tokens for future in futures]


@pytest.mark.usefixtures("without_kernels")
def test_without_kernels_graphs_take_the_plain_step(network: Network) -> None:
    vocabulary = Vocabulary(TINY)
    plain = PlainBackend(network, vocabulary, FLOAT32, slots=3, padding="full")
    expected = tokens_of(Engine(plain, slots=3, encode_batch=1))

    graphs = GraphBackend(network, vocabulary, FLOAT32, StepOfGraphs(), slots=3, encode_batch=2)

    assert tokens_of(Engine(graphs, slots=3, encode_batch=2)) == expected
    assert graphs.nbytes == plain.nbytes


@pytest.mark.usefixtures("without_kernels")
def test_without_kernels_a_step_in_half_precision_is_plain_and_holds_nothing_more() -> None:
    half = load_network(tiny_weights(), CPU, HALF)
    cache = KVCache(TINY, 3, CPU, state=torch.float16, attention=torch.float16)
    step = fastest_step(half.decoder, cache, TokenRules(Vocabulary(TINY), CPU))

    assert isinstance(step.feed, PlainForward)
    assert isinstance(step.choose, PlainChoice)
    assert (step.store_states, step.nbytes) == (None, 0)
    assert kernel_bytes_per_slot(TINY, HALF) == 0


def test_states_that_a_step_asks_for_are_those_of_every_window(network: Network) -> None:
    stored: dict[int, torch.Tensor] = {}

    class Asking(DirectLauncher):
        def step(self, decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
            plain = super().step(decoder, cache, rules)
            return Step(plain.feed, plain.choose, plain.draw, store, nbytes=1000)

    def store(slots: torch.Tensor, states: torch.Tensor) -> None:
        stored.update(zip(slots.tolist(), states.clone(), strict=True))

    vocabulary = Vocabulary(TINY)
    plain = PlainBackend(network, vocabulary, FLOAT32, slots=3, padding="full")
    asking = GraphBackend(network, vocabulary, FLOAT32, Asking(), slots=3, encode_batch=2)
    tokens_of(Engine(asking, slots=3, encode_batch=2))

    assert asking.nbytes == plain.nbytes + 1000
    assert sorted(stored) == [0, 1, 2]
    for slot, states in stored.items():
        assert states.shape == (TINY.n_audio_ctx, TINY.n_audio_state)
        (run,) = asking.cache.cross.read(0, [slot])
        project = network.decoder.cross_kv[0]
        keys, _ = project(states).unflatten(-1, (2, TINY.n_text_head, -1)).unbind(1)
        torch.testing.assert_close(run.k[0], keys.transpose(0, 1), atol=1e-5, rtol=1e-5)


def test_a_cpu_engine_needs_neither_graphs_nor_kernels() -> None:
    (expected,) = tokens_of(start_engine(tiny_weights(), CONFIG), count=1)
    program = [sys.executable, "-c", WITHOUT_CUDA]
    found = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)

    assert tuple(json.loads(found.stdout)) == expected
