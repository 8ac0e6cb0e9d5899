"""The difference between two sides over the same clips, and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.quality.paired import paired_difference
from scripts.shared.accuracy import Errors


def clip(words: int, ours: int, theirs: int) -> tuple[Errors, Errors]:
    return Errors(words, substitutions=ours), Errors(words, deletions=theirs)


def test_difference_is_that_of_the_rates_over_all_words() -> None:
    found = paired_difference([clip(10, 3, 1), clip(30, 1, 0), clip(60, 0, 1)])

    assert found
    assert found.value == pytest.approx(2.0)
    assert found.low < 2.0 < found.high


def test_clips_that_do_not_differ_give_an_interval_of_nothing() -> None:
    found = paired_difference([clip(10, 2, 2), clip(20, 0, 0), clip(7, 7, 7)])

    assert str(found) == "+0.00 [+0.00, +0.00]"


@pytest.mark.parametrize("sign", [1, -1])
def test_clips_that_differ_alike_leave_no_doubt(sign: int) -> None:
    sides = [clip(10, 5 + sign, 5)] * 20
    found = paired_difference(sides)

    assert found
    assert found.low == found.value == found.high == pytest.approx(10 * sign)


@pytest.mark.parametrize("seed", range(5))
def test_interval_is_as_wide_as_theory_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    more = random.integers(-2, 3, 200)
    found = paired_difference([clip(10, 4 + int(n), 4) for n in more])

    # of clips of one length it is the mean's, 1.96 standard errors to both sides
    half = 1.96 * 10 * float(more.std()) / 200**0.5
    assert found
    assert found.high - found.value == pytest.approx(half, rel=0.1)
    assert found.value - found.low == pytest.approx(half, rel=0.1)


def test_interval_is_wider_over_fewer_clips() -> None:
    few = paired_difference([clip(10, 2, 1), clip(10, 1, 2)] * 5)
    many = paired_difference([clip(10, 2, 1), clip(10, 1, 2)] * 50)

    assert few
    assert many
    assert few.high - few.low > 2.5 * (many.high - many.low)


def test_same_clips_give_the_same_interval() -> None:
    sides = [clip(9, 2, 1), clip(11, 1, 3), clip(5, 0, 0)]

    assert paired_difference(sides) == paired_difference(sides)


@pytest.mark.parametrize("sides", [[], [clip(0, 0, 0)], [clip(0, 0, 0)] * 3])
def test_without_words_there_is_no_difference(sides: list[tuple[Errors, Errors]]) -> None:
    assert paired_difference(sides) is None


def test_draws_of_clips_without_words_are_left_out() -> None:
    found = paired_difference([clip(0, 0, 0), clip(0, 0, 0), clip(10, 2, 1)])

    assert str(found) == "+10.00 [+10.00, +10.00]"
