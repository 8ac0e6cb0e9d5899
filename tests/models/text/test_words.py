"""Words: split as openai-whisper splits, punctuation where it belongs, times that make sense."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whisper.tokenizer import Tokenizer, get_tokenizer

from models.text.transcript import TokenScore, Word
from models.text.word_durations import (
    DurationLimits,
    fit_to_segment,
    shorten_at_sentence_ends,
    with_words,
)
from models.text.words import UNSPACED, merge_punctuation, split_words
from tests.models.text.spoken import segment


@cache
def tokenizer(language: str) -> Tokenizer:
    return get_tokenizer(multilingual=True, language=language, task="transcribe")


def scores(text: str, language: str = "en") -> list[TokenScore]:
    encoding = tokenizer(language).encoding
    tokens = encoding.encode(text, disallowed_special=())
    return [TokenScore(encoding.decode_single_token_bytes(token), -0.1) for token in tokens]


def split(text: str, language: str = "en") -> list[str]:
    found = scores(text, language)
    starts = [float(number) for number in range(len(found) + 1)]
    return [w.text for w in split_words(found, starts, is_spaced=language not in UNSPACED)]


def words(*spans: tuple[str, float, float]) -> list[Word]:
    return [Word(text, start, end, 0.5) for text, start, end in spans]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", " And so, my fellow Americans, don't ask: what's well-known?"),
        ("de", " Über 1.000 Straßen: „schön“, nicht wahr?"),
        ("zh", "四是四,十是十,十四是十四。"),
        ("ja", "いろはにほへと散りぬるを。"),
        ("ru", " Да, что же?"),
        ("hi", " नमस्ते दुनिया."),
        ("en", " 🙂 naïve 👍🏽 café"),
    ],
)
def test_split_words_as_openai_whisper(language: str, text: str) -> None:
    tokens = tokenizer(language).encoding.encode(text, disallowed_special=())
    assert split(text, language) == tokenizer(language).split_to_word_tokens(tokens)[0]


@given(st.text(max_size=40))
def test_split_words_join_to_the_text(text: str) -> None:
    assert "".join(split(text)) == text


def test_split_words_takes_times_and_mean_probability() -> None:
    found = [TokenScore(b" a", 0.0), TokenScore(b"b", -100.0), TokenScore(b" c", 0.0)]
    first, second = split_words(found, [0.5, 0.7, 0.9, 1.3, 2.0], is_spaced=True)
    assert (first.text, first.start, first.end) == (" ab", 0.5, 0.9)
    assert first.probability == pytest.approx(0.5)
    assert (second.text, second.start, second.end, second.probability) == (" c", 0.9, 1.3, 1.0)


def test_merge_punctuation_takes_no_time() -> None:
    found = words((" “", 0, 1), ("So", 1, 2), (",", 2, 5), (" (", 5, 6), ("he", 6, 7), (").", 7, 9))
    assert merge_punctuation(found) == words((" “So,", 1, 2), (" (he).", 6, 7))


def test_merge_punctuation_alone_stays() -> None:
    assert merge_punctuation(words((" ...", 0, 1))) == words((" ...", 0, 1))


def test_shorten_at_sentence_ends_cuts_the_pause() -> None:
    found = words((" end", 0, 1), (".", 1, 5), (" New", 5, 9), (" word", 9, 13))
    assert shorten_at_sentence_ends(found, DurationLimits(0.5, 1.0)) == words(
        (" end", 0, 1), (".", 1, 2), (" New", 8, 9), (" word", 9, 13)
    )


def test_fit_to_segment_first_words_do_not_last_through_a_pause() -> None:
    found = words((" a", 0, 6), (" b", 6, 10), (" c", 10, 10.5))
    fitted = fit_to_segment(found, 9.0, 10.5, 0.0, DurationLimits(0.25, 0.5))
    assert fitted == words((" a", 9, 9.5), (" b", 9.5, 10), (" c", 10, 10.5))


def test_fit_to_segment_believes_timestamps_that_disagree_much() -> None:
    found = words((" a", 0, 1.25), (" b", 1.25, 4))
    assert fit_to_segment(found, 0.75, 2.0, 0.0, DurationLimits(0.5, 2.0)) == words(
        (" a", 0.75, 1.25), (" b", 1.25, 2.0)
    )


def test_with_words_gives_segments_the_times_of_their_words() -> None:
    empty, spoken = segment(0.0, 5.0, ""), segment(5.0, 9.0, " Hi, you.")
    own = words((" Hi", 5.2, 5.6), (",", 5.6, 6), (" you", 6, 6.4), (".", 6.4, 6.5))
    first, second = with_words([empty, spoken], [[], own], 0.0)
    assert first == empty
    assert second.words == tuple(words((" Hi,", 5.2, 5.6), (" you.", 6, 6.4)))
    assert (second.start, second.end) == (5.2, 6.4)


@given(
    st.lists(st.sampled_from([" a", " word", ",", ".", " “", "!", " I"]), min_size=1, max_size=30),
    st.lists(st.integers(0, 400), min_size=1, max_size=31),
    st.floats(0, 30),
    st.floats(0, 30),
)
def test_with_words_are_in_order_and_within_their_segment(
    texts: list[str], steps: list[int], start: float, end: float
) -> None:
    times = [0.0]
    for number in range(len(texts)):
        times.append(times[-1] + steps[number % len(steps)] / 50)
    own = [Word(t, a, b, 1.0) for t, (a, b) in zip(texts, pairwise(times), strict=True)]
    (found,) = with_words([segment(start, end, "".join(texts))], [own], 0.0)

    assert "".join(word.text for word in found.words) == found.text
    assert found.start == found.words[0].start
    assert found.end == found.words[-1].end
    bounds = [time for word in found.words for time in (word.start, word.end)]
    assert bounds == sorted(bounds)
    assert bounds[0] >= 0.0
    assert bounds[-1] <= times[-1] + 0.005  # rounded
