"""Token times against openai-whisper's own median filter and time warping."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from whisper.timing import dtw_cpu, median_filter

from models.engine.decoding.alignment import smooth
from models.engine.decoding.dtw import first_positions


def costs(seed: int, tokens: int, positions: int) -> Tensor:
    return torch.randn(tokens, positions, generator=torch.Generator().manual_seed(seed))


def reference(cost: Tensor) -> list[int]:
    """Where openai-whisper's path meets each token first."""
    tokens, positions = dtw_cpu(cost.double().numpy())
    return [int(positions[list(tokens).index(token)]) for token in range(len(cost))]


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 40))
def test_first_positions_are_those_of_openai_whisper(
    seed: int, tokens: int, positions: int
) -> None:
    cost = costs(seed, tokens, positions)
    assert first_positions([cost]) == [reference(cost)]


def test_first_positions_of_many_windows_are_those_of_each() -> None:
    windows = [costs(seed, 3 + 5 * seed, 90 - 11 * seed) for seed in range(6)]
    assert first_positions(windows) == [first_positions([window])[0] for window in windows]


def test_first_positions_of_no_window_are_none() -> None:
    assert first_positions([]) == []


def test_first_positions_follow_a_clear_diagonal() -> None:
    cost = torch.ones(4, 40)
    for token in range(4):
        cost[token, 10 * token : 10 * token + 10] = -1.0
    assert first_positions([cost]) == [[0, 10, 20, 30]]


@given(st.integers(0, 10**6), st.integers(4, 30))
def test_smooth_is_the_median_of_seven(seed: int, positions: int) -> None:
    x = costs(seed, 5, positions)[None]
    assert torch.equal(smooth(x), median_filter(x[None], 7)[0])
