"""Loops at the end of a text, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.loops import without_loop

WORDS = [1, 2, 3, 4, 5]
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
def test_without_loop(tokens: list[int], kept: int) -> None:
    assert without_loop(tokens) == kept


@given(NUMBERS, st.lists(st.integers(10, 99), min_size=1, max_size=8, unique=True), st.data())
def test_without_loop_keeps_its_words_once(
    before: list[int], words: list[int], data: st.DataObject
) -> None:
    times = data.draw(st.integers(-(-16 // len(words)), 30).filter(lambda n: n >= 4))
    rest = data.draw(st.integers(0, len(words) - 1))
    tokens = [*before, *words * times, *words[:rest]]
    assert without_loop(tokens) == len(before) + len(words)


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_without_loop_keeps_all_that_does_not_repeat(tokens: list[int]) -> None:
    assert without_loop(tokens) == len(tokens)
