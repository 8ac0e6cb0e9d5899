"""Which positions of a window are computed, and that the rest is made up for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.engine.network.encoder import Encoder
from models.engine.network.sparse_padding import (
    END,
    MARGIN,
    NEAR,
    NEAR_STRIDE,
    STRIDE,
    encoder_positions,
)
from tests.tiny import TINY

CPU = torch.device("cpu")
N_CTX = TINY.n_audio_ctx


@given(frames=st.integers(0, 3000))
def test_kept_positions_thin_stand_for_all_positions(frames: int) -> None:
    kept = encoder_positions(frames, N_CTX, "thin", CPU)

    assert (kept.index.diff() > 0).all()
    assert 0 <= kept.index[0] <= kept.index[-1] < N_CTX
    if kept.log_weight is None:
        assert kept.size == N_CTX
        assert frames // 2 > N_CTX - MARGIN - END - 2 * STRIDE
        return
    weights = kept.log_weight.exp()
    assert weights.sum() == pytest.approx(N_CTX, rel=1e-5)
    assert kept.dense >= frames / 2 + MARGIN
    alone = [*range(kept.dense), *range(kept.size - END, kept.size)]
    assert torch.equal(weights[alone], torch.ones(len(alone)))
    assert torch.equal(kept.index[: kept.dense], torch.arange(kept.dense))


def test_kept_positions_full_keeps_all() -> None:
    kept = encoder_positions(0, N_CTX, "full", CPU)

    assert torch.equal(kept.index, torch.arange(N_CTX))
    assert kept.log_weight is None


def test_encoder_first_states_of_thin_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    encoder = Encoder(TINY, torch.float32, rotates=False)
    mel = torch.randn(1, TINY.n_mels, 3000)
    mel[..., 700:] = -0.5
    thin, full = (encoder_positions(700, N_CTX, padding, CPU) for padding in ("thin", "full"))

    with torch.inference_mode():
        torch.nn.init.normal_(encoder.positions, std=0.1)
        found, expected = (next(encoder.stages(mel, kept)) for kept in (thin, full))

    assert torch.allclose(found, expected[:, thin.index], atol=1e-5)


@pytest.mark.parametrize("frames", [0, 50, 333, 500, 1000, 2000])
def test_kept_positions_thin_are_more_near_the_sound(frames: int) -> None:
    kept = encoder_positions(frames, N_CTX, "thin", CPU)
    between = kept.index[kept.dense : kept.size - END]
    near, far = between[between < kept.dense + NEAR], between[between >= kept.dense + NEAR]

    assert len(near) == NEAR / NEAR_STRIDE
    assert len(far) == -(-(N_CTX - END - kept.dense - NEAR) // STRIDE)
    # No phase of a stride is met more often than another.
    for positions, stride in ((near, NEAR_STRIDE), (far[: len(far) // 8 * 8], STRIDE)):
        places = (positions - positions[0]) % stride
        assert torch.equal(places.bincount(), torch.full((stride,), len(positions) // stride))
