"""What the cache's slots hold, and how much that is."""

from __future__ import annotations

import torch

from models.engine.network.kv_cache import KVCache
from tests.tiny import TINY

CPU = torch.device("cpu")
SLOTS = 3


def cache() -> KVCache:
    return KVCache(TINY, SLOTS, CPU, state=torch.float32, attention=torch.float32)


def states(windows: int) -> torch.Tensor:
    return torch.randn(windows, TINY.n_audio_ctx, TINY.n_audio_state)


def test_states_are_kept_in_their_slots_from_when_they_are_wanted() -> None:
    found, two = cache(), states(2)
    held = found.nbytes
    found.write_states(torch.tensor([0]), two[:1])
    found.enable_states()
    assert found.nbytes == held + 4 * SLOTS * TINY.n_audio_ctx * TINY.n_audio_state

    found.write_states(torch.tensor([2, 0]), two)

    assert torch.equal(found.states[[2, 0]], two)
    assert not found.states[1].any()


def test_states_that_nobody_wants_take_nothing() -> None:
    found = cache()
    found.write_states(torch.tensor([0]), states(1))

    assert found.states.nbytes == 0
    assert found.nbytes == found.text.nbytes + found.audio.nbytes
