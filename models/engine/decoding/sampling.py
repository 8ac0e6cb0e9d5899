"""Gumbel-max sampling with a counter-based RNG: the same noise for a seed on every device."""

from __future__ import annotations

import torch
from torch import Tensor

# SplitMix64 (Steele, Lea and Flood, 2014), its constants as signed numbers.
_STEP = 0x9E3779B97F4A7C15 - 2**64
_MIXING = ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64))
_LAST_SHIFT = 31
# Bits of a number between 0 and 1 that leave room for the half that keeps it off both.
_BITS = 23
_COLDEST = 1e-6


def gumbel_scores(logits: Tensor, temperatures: Tensor, seeds: Tensor) -> Tensor:
    """Scores, [rows, n_vocab], whose largest is drawn from softmax(logits / temperature).

    By the Gumbel-max trick; of rows whose temperature is 0 the logits as they are. Both
    `temperatures` and `seeds` are [rows]; no shape depends on them, so a GPU can replay it.
    """
    draws = (temperatures > 0)[:, None]
    noise = _gumbel(seeds, logits.shape[-1])
    # So cold that it is as good as none, and no score is infinite.
    divisors = temperatures.clamp(min=_COLDEST)[:, None]
    scores = noise.addcdiv_(logits, torch.where(draws, divisors, 1.0))
    return torch.where(draws, scores, logits)


def _gumbel(seeds: Tensor, n_vocab: int) -> Tensor:
    """Gumbel noise, [rows, n_vocab], a function of each seed, [rows], and token: the counters."""
    places = torch.arange(1, n_vocab + 1, device=seeds.device) * _STEP
    bits = _mixed(_mixed(seeds * _STEP)[:, None] + places)
    fraction = _shifted(bits, 64 - _BITS).float().add_(0.5).mul_(2.0**-_BITS)
    return fraction.log_().neg_().log_().neg_()


def _mixed(numbers: Tensor) -> Tensor:
    """SplitMix64's finalizer, in place: int64 [...] -> the same."""
    for shift, factor in _MIXING:
        numbers.bitwise_xor_(_shifted(numbers, shift)).mul_(factor)
    return numbers.bitwise_xor_(_shifted(numbers, _LAST_SHIFT))


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """Logical shift to the right, int64 [...] -> the same: PyTorch's own repeats the sign."""
    return (numbers >> bits).bitwise_and_((1 << (64 - bits)) - 1)
