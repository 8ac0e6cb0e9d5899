"""Loops at the end of a text, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.loops import loop_at_end

WORDS = [1, 2, 3, 4, 5]


def before_loop(tokens: list[int]) -> int:
    """How many tokens come before a loop is in its second round; all where there is none."""
    loop = loop_at_end(tokens)
    return len(tokens) if loop is None else loop.before + loop.period


NUMBERS = st.lists(st.integers(0, 9), max_size=40)


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [
        ([], 0),
        (WORDS, 5),
        (WORDS * 3, 15),
        (WORDS * 4, 5),
        ([7, 8, *WORDS * 4, 1, 2], 7),
        ([*WORDS * 4, 9], 21),
        ([9] * 15, 15),
        ([8, *[9] * 16], 2),
        ([1, 2, 1, 3] * 4, 4),
    ],
)
def test_loop_at_end(tokens: list[int], kept: int) -> None:
    assert before_loop(tokens) == kept


@given(NUMBERS, st.lists(st.integers(10, 99), min_size=1, max_size=8, unique=True), st.data())
def test_loop_at_end_has_its_words_again_and_again(
    before: list[int], words: list[int], data: st.DataObject
) -> None:
    times = data.draw(st.integers(-(-16 // len(words)), 30).filter(lambda n: n >= 4))
    rest = data.draw(st.integers(0, len(words) - 1))
    tokens = [*before, *words * times, *words[:rest]]
    assert before_loop(tokens) == len(before) + len(words)
    loop = loop_at_end(tokens)
    assert loop is not None
    assert loop.times == times + rest / len(words)


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_loop_at_end_is_not_found_where_nothing_repeats(tokens: list[int]) -> None:
    assert before_loop(tokens) == len(tokens)
