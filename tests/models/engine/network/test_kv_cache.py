"""The cache's slots: what they hold, and how many bytes that is."""

from __future__ import annotations

import pytest
import torch

from models.engine.cpu.cpu_features import has_int8_linear
from models.engine.network.cross_kv import CrossKV
from models.engine.network.kv_cache import KVCache, SlotIndex
from models.engine.network.packed_states import PackedStatesCache
from models.engine.network.sparse_padding import encoder_positions
from tests.tiny import TINY

CPU = torch.device("cpu")
SLOTS = 5
HEADS, HEAD_DIM = TINY.n_text_head, TINY.n_text_state // TINY.n_text_head


def cache(attention: torch.dtype | None = torch.float32) -> KVCache:
    return KVCache(TINY, SLOTS, CPU, state=torch.float32, attention=attention)


def windows(count: int, positions: int) -> torch.Tensor:
    return torch.randn(count, positions, TINY.n_text_layer, 2, HEADS, HEAD_DIM)


def test_bytes_are_of_text_and_window() -> None:
    text = 4 * 2 * SLOTS * TINY.n_text_ctx * TINY.n_text_state
    audio = 4 * 2 * SLOTS * TINY.n_audio_ctx * TINY.n_text_state
    packed = 2 * SLOTS * TINY.n_audio_ctx * TINY.n_audio_state

    assert cache().nbytes == text + audio
    assert cache(None).nbytes == text + packed


def test_text_is_read_where_it_was_written() -> None:
    text = cache().text
    rows = SlotIndex.at([3, 1], [[4], [7]], CPU)
    kv = torch.randn(2, 1, 2, HEADS, HEAD_DIM)
    text.write(0, rows, kv)
    k, v = text.read(0, rows)

    assert k.shape == (2, HEADS, 32, HEAD_DIM)
    assert torch.equal(k[[0, 1], :, [4, 7]], kv[:, 0, 0])
    assert torch.equal(v[[0, 1], :, [4, 7]], kv[:, 0, 1])
    assert text.kv.count_nonzero() == kv.numel()


def test_neighbours_of_one_length_are_one_view() -> None:
    cross = cache().cross
    thin = encoder_positions(300, TINY.n_audio_ctx, "thin", CPU)
    other = encoder_positions(600, TINY.n_audio_ctx, "thin", CPU)
    for slots, positions in (([0, 1], thin), ([2], other), ([4], thin)):
        cross.write(slice(0, 1), torch.tensor(slots), windows(len(slots), positions.size))
        cross.write_positions(slots, positions)

    runs = list(cross.read(0, [0, 1, 2, 4]))

    assert [run.rows for run in runs] == [slice(0, 2), slice(2, 3), slice(3, 4)]
    assert [run.k.shape[2] for run in runs] == [thin.size, other.size, thin.size]
    assert all(run.k._is_view() for run in runs)  # noqa: SLF001
    assert torch.equal(runs[2].v[0], cross.kv[0, 1, 4, :, : thin.size])


def test_slots_that_only_the_device_knows_have_whole_windows() -> None:
    cross = cache().cross
    cross.write(slice(0, 1), torch.tensor([3, 1]), windows(2, TINY.n_audio_ctx))
    (run,) = cross.read(0, torch.tensor([1, 3]))

    assert run.log_weight is None
    assert torch.equal(run.k, cross.kv[0, 0, [1, 3]])


@pytest.mark.parametrize(
    "attention",
    [
        torch.float32,
        pytest.param(None, marks=pytest.mark.skipif(not has_int8_linear(), reason="no FBGEMM")),
    ],
)
def test_a_copied_window_is_read_as_the_first(attention: torch.dtype | None) -> None:
    window = cache(attention).window
    thin = encoder_positions(300, TINY.n_audio_ctx, "thin", CPU)
    if isinstance(window, CrossKV):
        window.write(slice(0, 1), torch.tensor([1]), windows(1, thin.size))
        window.write_positions([1], thin)
        window.copy(1, 4)
        first, copied = window.read(0, [1, 4])
        assert torch.equal(first.k, copied.k)
        assert first.log_weight is copied.log_weight
    else:
        assert isinstance(window, PackedStatesCache)
        window.write([1], thin, torch.randn(1, thin.size, TINY.n_audio_state))
        window.copy(1, 4)
        first_window, copied_window = window.read([1, 4])
        assert first_window is copied_window
