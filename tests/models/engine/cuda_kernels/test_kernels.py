"""The CUDA kernels on a GPU, held against the same in PyTorch."""

from __future__ import annotations

import pytest
import torch

from models.engine.cuda_graphs.graph_decoder import GraphWatch
from models.engine.decoding.sampling import gumbel_scores
from models.engine.decoding.token_rules import TokenRules
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.loading.load_network import load_network
from models.engine.network.attention import attend_audio
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache
from models.engine.network.precision import resolve_precision
from models.engine.static_step.decode_state import DecodeState
from models.engine.static_step.plain_choice import PlainChoice
from models.engine.static_step.plain_forward import PlainForward
from tests.models.engine.static_step.test_plain_choice import in_slots
from tests.tiny import TINY, tiny_weights

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
SLOTS = 40
HEAD_DIM = 64


def network(dtype: str, state: int = 384) -> Network:
    heads = state // HEAD_DIM
    sizes = {"n_audio_head": heads, "n_text_head": heads}
    device = torch.device("cuda")
    weights = tiny_weights(n_text_layer=2, n_audio_state=state, n_text_state=state, **sizes)
    return load_network(weights, device, resolve_precision(dtype, device))


def empty_cache(net: Network, slots: int) -> KVCache:
    return KVCache(net.dims, slots, net.device, state=net.dtype, attention=net.dtype)


def fill(cache: KVCache, net: Network) -> None:
    """Texts, and windows' states with their keys and values, drawn at random."""
    cache.text.normal_()
    every = torch.arange(cache.text.shape[2], device=net.device)
    states = torch.randn(len(every), net.dims.n_audio_ctx, net.dims.n_audio_state)
    states = states.to(net.device, net.dtype)
    cache.write_states(every, states)
    net.decoder.write_cross(states, cache, every)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("state", [384, 512, 768, 1024, 1280])
@torch.inference_mode()
def test_states_tell_what_keys_and_values_do(dtype: str, state: int) -> None:
    from models.engine.cuda_kernels.states_kernel import state_attention

    net = network(dtype, state)
    torch.manual_seed(0)
    cache = empty_cache(net, 150)
    attend = state_attention(net.decoder, cache)
    if attend is None:
        pytest.skip("this GPU does not read states")
    fill(cache, net)
    for rows in (1, 2, 8, 21, 40, 64, 150):
        for layer in range(2):
            # So large that a few positions count and the rest hardly does, as in speech.
            q = 4 * torch.randn(rows, state, device=net.device, dtype=net.dtype)
            heads = q.float().view(rows, -1, 1, HEAD_DIM)
            expected = attend_audio(heads, *cache.audio[layer, :, :rows].float()).view(rows, state)
            found = attend(q, layer)

            error = (found.float() - expected).norm() / expected.norm()
            assert error < (5e-3 if dtype == "float16" else 4e-2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 8, 40])
@pytest.mark.parametrize("watched", [False, True])
@torch.inference_mode()
def test_forward_is_that_of_pytorch(dtype: str, batch: int, watched: bool) -> None:
    from models.engine.cuda_kernels.fused_forward import FusedForward

    net = network(dtype)
    found, scores, texts = [], [], []
    for forward_of in (PlainForward, FusedForward):
        torch.manual_seed(0)
        cache = empty_cache(net, SLOTS)
        forward = forward_of(net.decoder, cache)
        fill(cache, net)
        heard = torch.zeros(SLOTS, net.decoder.n_alignment_head, 1500, device=net.device)
        for step in range(3):
            tokens = torch.arange(100, 100 + batch, device=net.device) + 7 * step
            positions = torch.arange(batch, device=net.device) * 50 % 400 + step
            watch = GraphWatch(heard) if watched else None
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
    from models.engine.cuda_kernels.choice_kernel import FusedChoice

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
            rows, chosen = (
                DecodeState(vocabulary, SLOTS, device),
                torch.zeros(2, SLOTS, device=device),
            )
            rows.load(in_slots(texts, [6, 0, 3, 5]), SLOTS)
            for _ in range(3):
                choice_of(rules)(SLOTS, logits.clone(), rows, chosen)
            fields = (rows.tokens, rows.positions, rows.pairs, rows.stamps)
            found.append((chosen, torch.stack(fields)))

        torch.testing.assert_close(found[1][0], found[0][0], atol=1e-3, rtol=1e-5)
        assert torch.equal(found[1][1], found[0][1])


@torch.inference_mode()
def test_draws_on_a_gpu_are_those_of_a_cpu() -> None:
    logits = torch.randn(SLOTS, TINY.n_vocab, generator=torch.Generator().manual_seed(0)) * 4
    heat = (torch.arange(SLOTS) % 3 * 0.4, torch.arange(SLOTS) * 1_000_003)
    expected = gumbel_scores(logits, *heat)
    found = gumbel_scores(logits.cuda(), *(each.cuda() for each in heat)).cpu()

    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-5)
    assert torch.equal(found.argmax(-1), expected.argmax(-1))
