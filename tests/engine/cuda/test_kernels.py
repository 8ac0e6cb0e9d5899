"""The CUDA kernels on a GPU, held against the same in PyTorch."""

from __future__ import annotations

import pytest
import torch

from models.engine.cache import KVCache
from models.engine.decoding import TokenRules
from models.engine.loading import load_network
from models.engine.network import Network
from models.engine.precision import resolve_precision
from models.engine.static.choice import PlainChoice
from models.engine.static.decoder import StaticWatch
from models.engine.static.forward import PlainForward
from models.engine.static.rows import Rows
from models.engine.vocabulary import Vocabulary
from tests.engine.static.test_choice import in_slots
from tests.tiny import TINY, tiny_weights

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
SLOTS = 8


def network(dtype: str) -> Network:
    sizes = {"n_audio_state": 384, "n_audio_head": 6, "n_text_state": 384, "n_text_head": 6}
    device = torch.device("cuda")
    weights = tiny_weights(n_text_layer=2, **sizes)
    return load_network(weights, device, resolve_precision(dtype, device))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("watched", [False, True])
@torch.inference_mode()
def test_forward_is_that_of_pytorch(dtype: str, batch: int, watched: bool) -> None:
    from models.engine.cuda.forward import FusedForward

    net = network(dtype)
    found, scores, texts = [], [], []
    for forward_of in (PlainForward, FusedForward):
        torch.manual_seed(0)
        cache = KVCache(net.dims, SLOTS, net.device, state=net.dtype, attention=net.dtype)
        cache.audio.normal_()
        cache.text.normal_()
        forward = forward_of(net.decoder, cache)
        heard = torch.zeros(SLOTS, net.decoder.n_alignment_head, 1500, device=net.device)
        for step in range(3):
            tokens = torch.arange(100, 100 + batch, device=net.device) + 7 * step
            positions = torch.arange(batch, device=net.device) * 50 + step
            watch = StaticWatch(heard) if watched else None
            states = forward(tokens, positions, 448, watch)
        found.append(states.float())
        scores.append(heard)
        texts.append(cache.text.float())

    exact = 1e-2 if dtype == "float16" else 6e-2
    torch.testing.assert_close(found[1], found[0], atol=exact, rtol=exact)
    torch.testing.assert_close(scores[1], scores[0], atol=3 * exact, rtol=exact)
    torch.testing.assert_close(texts[1], texts[0], atol=exact, rtol=exact)


@torch.inference_mode()
def test_choice_is_that_of_pytorch() -> None:
    from models.engine.cuda.choice import FusedChoice

    device, vocabulary = torch.device("cuda"), Vocabulary(TINY)
    rules = TokenRules(vocabulary, device)
    begin = rules.begin
    texts = [[begin, 5], [begin, 5, begin + 9], [begin, 5, begin + 9, begin + 9], [begin + 3, 8]]
    for seed in range(20):
        torch.manual_seed(seed)
        logits = torch.randn(SLOTS, TINY.n_vocab, device=device) * 4
        logits[:, begin:] += [-8.0, 0.0, 8.0][seed % 3]
        found = []
        for choice_of in (PlainChoice, FusedChoice):
            rows, chosen = Rows(vocabulary, SLOTS, device), torch.zeros(2, SLOTS, device=device)
            rows.load(in_slots(texts, [6, 0, 3, 5]), SLOTS)
            for _ in range(3):
                choice_of(rules)(SLOTS, logits.clone(), rows, chosen)
            fields = (rows.tokens, rows.positions, rows.pairs, rows.stamps)
            found.append((chosen, torch.stack(fields)))

        torch.testing.assert_close(found[1][0], found[0][0], atol=1e-3, rtol=1e-5)
        assert torch.equal(found[1][1], found[0][1])
