"""Noise for draws: what SplitMix64 gives, independent from seed to seed and from token to token."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.engine.decoding.sampling import _mixed, _shifted, gumbel_scores

WORD = 2**64


def mixed(number: int) -> int:
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % WORD
    number = (number ^ number >> 27) * 0x94D049BB133111EB % WORD
    return number ^ number >> 31


@given(number=st.integers(-(2**63), 2**63 - 1), bits=st.integers(1, 63))
def test_bits_are_those_of_unsigned_arithmetic(number: int, bits: int) -> None:
    found = _mixed(torch.tensor([number]))

    assert found.item() % WORD == mixed(number % WORD)
    assert _shifted(torch.tensor([number]), bits).item() == number % WORD >> bits


def test_first_number_is_the_published_one() -> None:
    # Of the generator whose state is 0.
    assert _mixed(torch.tensor([0x9E3779B97F4A7C15 - WORD])).item() % WORD == 0xE220A8397B1DCDAF


def test_noise_is_independent_of_the_place() -> None:
    seeds, tokens = 2000, 500
    noise = gumbel_scores(torch.zeros(seeds, tokens), torch.ones(seeds), torch.arange(seeds))

    # A Gumbel variable's mean is Euler's constant, its variance pi squared over six.
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.005)
    assert noise.var().item() == pytest.approx(1.6449, abs=0.02)
    for shifted in (noise[1:] - noise[:-1], noise[:, 1:] - noise[:, :-1]):
        assert shifted.var().item() == pytest.approx(2 * 1.6449, rel=0.02)


def test_temperature_sharpens_and_zero_takes_the_most_probable() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0]).expand(30_000, -1)
    for temperature in (0.2, 1.0):
        scores = gumbel_scores(logits, torch.full((30_000,), temperature), torch.arange(30_000))
        shares = scores.argmax(-1).bincount(minlength=3) / 30_000
        assert torch.allclose(shares, (logits[0] / temperature).softmax(-1), atol=0.01)

    greedy = gumbel_scores(logits, torch.zeros(30_000), torch.arange(30_000))
    assert torch.equal(greedy, logits)


@pytest.mark.parametrize("temperature", [1e-5, 1e-36, 1e-44])
def test_cold_takes_the_most_probable(temperature: float) -> None:
    logits = torch.randn(4, 1000, generator=torch.Generator().manual_seed(0)) * 10
    scores = gumbel_scores(logits, torch.full((4,), temperature), torch.arange(4))
    assert scores.argmax(-1).tolist() == logits.argmax(-1).tolist()


def test_draws_do_not_depend_on_the_other_rows() -> None:
    logits = torch.randn(5, 1000, generator=torch.Generator().manual_seed(0))
    temperatures, seeds = torch.tensor([0.4, 0.0, 1.0, 0.4, 0.8]), torch.tensor([3, 1, 4, 1, 5])
    together = gumbel_scores(logits, temperatures, seeds)

    for row in range(5):
        one = slice(row, row + 1)
        assert torch.equal(gumbel_scores(logits[one], temperatures[one], seeds[one]), together[one])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@torch.inference_mode()
def test_draws_on_a_gpu_are_those_of_a_cpu() -> None:
    logits = torch.randn(40, 51865, generator=torch.Generator().manual_seed(0)) * 4
    temperatures, seeds = torch.arange(40) % 3 * 0.4, torch.arange(40) * 1_000_003
    expected = gumbel_scores(logits, temperatures, seeds)
    found = gumbel_scores(logits.cuda(), temperatures.cuda(), seeds.cuda()).cpu()

    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-5)
    assert torch.equal(found.argmax(-1), expected.argmax(-1))
