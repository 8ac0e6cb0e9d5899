"""Decode steps as graphs on a GPU, held against the same kernels started one by one."""

from __future__ import annotations

import pytest
import torch

from models.engine.cuda_graphs.graph_decoder import GraphDecoder
from models.engine.cuda_graphs.launcher import Computation, GraphLauncher
from models.engine.decoding.token_rules import Chosen, TokenRules
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.network.decoder import Network
from tests.models.engine.gpu_networks import SLOTS, empty_cache, fill, network
from tests.models.engine.static_step.test_plain_step import in_slots

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")

# Few rows that are captured for few, and one in the last slot: all are fed.
PLACES = ([2, 0, 3, 1], [6, 0, SLOTS - 1, 5])


class OneByOne(GraphLauncher):
    """Starts each kernel by itself."""

    def capture(self, compute: Computation, *, side_stream: bool = False) -> Computation:
        """The computation as it is."""
        return compute


def steps_of(net: Network, launcher: GraphLauncher) -> list[list[Chosen]]:
    """What is chosen for four texts that are drawn in between, in few and in all rows."""
    torch.manual_seed(0)
    cache, vocabulary = empty_cache(net, SLOTS), Vocabulary(net.dims)
    rules = TokenRules(vocabulary, net.device)
    begin, found = rules.begin, []
    with launcher.computing():
        step = launcher.step(net.decoder, cache, rules)
        states = fill(cache, net)
        if step.store_states:
            step.store_states(torch.arange(SLOTS, device=net.device), states)
        decoder = GraphDecoder(net, step, vocabulary, launcher, SLOTS)
        decoder.warm_up()
        for places in PLACES:
            for heat in ([0.0] * 4, [0.0, 0.8, 0.0, 0.4], [0.0] * 4):
                texts = [[begin, 5], [begin, 7], [begin, 5, 9], [begin + 3, 8]]
                sequences = in_slots(texts, places, heat)
                for _ in range(2):
                    chosen = decoder.steps(sequences)
                    found.append(chosen)
                    for tokens, _ in chosen:
                        for sequence, token in zip(sequences, tokens, strict=True):
                            sequence.tokens.append(token)
    return found


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_graphs_choose_and_draw_what_their_kernels_do(dtype: str) -> None:
    net = network(dtype)
    expected, found = (steps_of(net, kind(net.device)) for kind in (OneByOne, GraphLauncher))

    assert [[step[0] for step in steps] for steps in found] == [
        [step[0] for step in steps] for steps in expected
    ]
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one[1] == pytest.approx(other[1], abs=1e-2)
