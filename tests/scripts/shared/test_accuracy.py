"""Counting errors: what a word is, and which words are alike."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from scripts.shared.accuracy import Errors, count_errors

pytestmark = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("one two three four", Errors(4)),
        ("one too three four", Errors(4, substitutions=1)),
        ("one four", Errors(4, deletions=2)),
        ("one two three four five", Errors(4, insertions=1)),
        ("", Errors(4, deletions=4)),
        ("nothing at all like it then", Errors(4, substitutions=4, insertions=2)),
    ],
)
def test_errors_are_counted_by_kind(text: str, errors: Errors) -> None:
    # in German nothing turns number words into digits
    assert count_errors("one two three four", text, "de") == errors


@pytest.mark.parametrize(
    ("language", "reference", "text"),
    [
        ("en", "Twenty-one colours, isn't it?", "21 colors is not it"),
        ("de", "Ja! Das Haus (alt).", "ja, das haus"),
        ("zh", "你好。世界!", "你好 世界"),
    ],
)
def test_errors_are_none_where_only_the_spelling_differs(
    language: str, reference: str, text: str
) -> None:
    found = count_errors(reference, text, language)
    assert found.words > 0
    assert found.rate == 0.0


@pytest.mark.parametrize(
    ("language", "reference", "words"),
    [("zh", "你好世界", 4), ("ja", "今日は 雨", 4), ("th", "สวัสดี", 4), ("ko", "안녕 세상", 2)],
)
def test_errors_count_letters_where_no_spaces_are_written(
    language: str, reference: str, words: int
) -> None:
    assert count_errors(reference, reference, language) == Errors(words)


def test_errors_of_a_reference_without_words_are_none() -> None:
    assert count_errors(" ?! ", "You are welcome.", "en") == Errors()


def test_errors_add_up_to_a_rate() -> None:
    errors = sum([Errors(6, 1, 0, 1), Errors(4, 0, 2, 0)], Errors())
    assert errors == Errors(10, 1, 2, 1)
    assert errors.rate == 40.0
    assert errors.deletion_rate == 20.0
    assert Errors().rate is None
