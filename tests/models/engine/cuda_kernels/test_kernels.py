"""The CUDA kernels on a GPU, held against the same in PyTorch."""

from __future__ import annotations

import pytest
import torch

from models.engine.cuda_graphs.graph_decoder import GraphRecorder
from models.engine.decoding.token_rules import TokenRules
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.network.attention import attend_audio
from models.engine.static_step.decode_state import DecodeState
from models.engine.static_step.plain_step import PlainChoice, PlainForward
from tests.models.engine.gpu_networks import HEAD_DIM, SLOTS, empty_cache, fill, network
from tests.models.engine.static_step.test_plain_step import in_slots
from tests.tiny import TINY

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


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
    states = fill(cache, net)
    attend.store(torch.arange(150, device=net.device), states)
    values_bias = net.decoder.cross_kv[0].get_parameter("bias").float().view(-1, 2, state)[:, 1]
    for rows in (1, 2, 8, 21, 40, 64, 150):
        for layer in range(2):
            # So large that a few positions count and the rest hardly does, as in speech.
            q = 4 * torch.randn(rows, state, device=net.device, dtype=net.dtype)
            heads = q.float().view(rows, -1, 1, HEAD_DIM)
            kv = cache.cross.kv[layer, :, :rows].float()
            # The layer behind adds the values' bias.
            expected = attend_audio(heads, *kv).view(rows, state) - values_bias[layer]
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
        states_of_windows = fill(cache, net)
        if isinstance(forward, FusedForward) and forward.states:
            forward.states.store(torch.arange(SLOTS, device=net.device), states_of_windows)
        recorded = torch.zeros(SLOTS, net.decoder.n_alignment_head, 1500, device=net.device)
        for step in range(3):
            tokens = torch.arange(100, 100 + batch, device=net.device) + 7 * step
            positions = torch.arange(batch, device=net.device) * 50 % 400 + step
            recorder = GraphRecorder(recorded) if watched else None
            states = forward(tokens, positions, 448, recorder)
        found.append(states.float())
        scores.append(recorded)
        texts.append(cache.text.kv.float())

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
