"""Words of tokens with times, as openai-whisper makes them (whisper/timing.py)."""

from __future__ import annotations

import codecs
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from math import exp
from statistics import fmean

from models.text.transcript import TokenScore, Word

# Written without spaces: there a word is what can be decoded by itself (whisper/tokenizer.py).
UNSPACED = ("zh", "ja", "th", "lo", "my", "yue")
OPENING = frozenset("\"'“¿([{-")
CLOSING = frozenset("\"'.。,，!！?？:：”)]}、")  # noqa: RUF001 - full-width ones as well


def bare(text: str) -> str:
    """A word without the spaces and the punctuation around it; nothing may be left."""
    return text.strip().strip("".join(OPENING | CLOSING)).strip()


def split_words(
    scores: Sequence[TokenScore], starts: Sequence[float], *, is_spaced: bool
) -> list[Word]:
    """A segment's words; `starts` says when each token begins, and when the last one ends."""
    ends = list(accumulate(count for _, count in _pieces(scores, is_spaced=is_spaced)))
    return [
        Word(text, starts[end - count], starts[end], _probability(scores[end - count : end]))
        for (text, count), end in zip(_pieces(scores, is_spaced=is_spaced), ends, strict=True)
    ]


def _probability(scores: Sequence[TokenScore]) -> float:
    return fmean(exp(score.logprob) for score in scores)


def _pieces(scores: Sequence[TokenScore], *, is_spaced: bool) -> Iterator[tuple[str, int]]:
    """The texts of the words, punctuation by itself, and their numbers of tokens."""
    word, tokens = "", 0
    for text, count in characters(scores):
        begins = text.startswith(" ") or text.strip() in string.punctuation
        if tokens and (begins or not is_spaced):
            yield word, tokens
            word, tokens = "", 0
        word, tokens = word + text, tokens + count
    if tokens:
        yield word, tokens


def characters(scores: Sequence[TokenScore]) -> Iterator[tuple[str, int]]:
    """The fewest tokens that are whole characters together, and how many they are."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, tokens = "", 0
    for number, score in enumerate(scores, start=1):
        text += decoder.decode(score.data, final=number == len(scores))
        tokens += 1
        if not decoder.getstate()[0]:
            yield text, tokens
            text, tokens = "", 0


def merge_punctuation(words: Sequence[Word]) -> list[Word]:
    """Punctuation goes to the word it stands at, and takes no time of its own."""
    opened: list[Word] = []
    for word in reversed(words):
        if opened and word.text.startswith(" ") and set(word.text.strip()) <= OPENING:
            opened[-1] = replace(opened[-1], text=word.text + opened[-1].text)
        else:
            opened.append(word)
    merged: list[Word] = []
    for word in reversed(opened):
        if merged and set(word.text) <= CLOSING:
            merged[-1] = replace(merged[-1], text=merged[-1].text + word.text)
        else:
            merged.append(word)
    return merged
