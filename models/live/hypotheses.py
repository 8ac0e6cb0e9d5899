"""Hypotheses: what a live turn's speech is heard as so far, in words with times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.text.transcript import TokenScore
from models.text.words import CLOSING, UNSPACED, bare, characters
from models.units import SAMPLE_RATE

# Samples that a token of a word takes at most: by alignment the pause behind a word is the word's.
_LONGEST_TOKEN = 8 * SAMPLE_RATE // 10


@dataclass(frozen=True)
class HeardWord:
    """A word of a hypothesis, `start` and `end` in samples of its turn.

    `text` keeps its leading space and the punctuation behind it. `stem` and `after` are places in
    the hypothesis's tokens: behind the word without that punctuation, and behind both.
    """

    text: str
    start: int
    end: int
    stem: int
    after: int

    @property
    def middle(self) -> int:
        """Its middle, in samples of its turn."""
        return (self.start + self.end) // 2

    @property
    def key(self) -> str:
        """What tells it from others: neither case nor the punctuation around it."""
        return bare(self.text).casefold() or self.text.strip()


@dataclass(frozen=True)
class Hypothesis:
    """The text of a turn's samples up to `heard`.

    `tokens` are with timestamps, from the beginning of what is kept of the turn on; `scores` are
    theirs, of timestamps None.
    """

    heard: int
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    scores: tuple[TokenScore | None, ...]
    words: tuple[HeardWord, ...]


def heard_words(
    scores: Sequence[TokenScore | None], starts: Sequence[float], offset: int, language: str
) -> tuple[HeardWord, ...]:
    """The words of a text's tokens; timestamps are None.

    `starts` are seconds at which its tokens begin, timestamps left out, and at which the last one
    ends, behind the sample `offset`.
    """
    places = [place for place, score in enumerate(scores) if score]
    edges = [offset + round(start * SAMPLE_RATE) for start in starts]
    spoken = [score for score in scores if score]
    return tuple(
        HeardWord(
            text=text,
            start=edges[first],
            end=min(edges[after], edges[first] + _LONGEST_TOKEN * (after - first)),
            stem=places[stem - 1] + 1,
            after=places[after - 1] + 1,
        )
        for text, first, stem, after in _grouped(spoken, is_spaced=language not in UNSPACED)
    )


def _grouped(
    scores: Sequence[TokenScore], *, is_spaced: bool
) -> Iterator[tuple[str, int, int, int]]:
    """Each word's text, first token, end without the punctuation behind it, and end."""
    pieces = list(characters(scores))
    begins = [
        number
        for number, (text, _) in enumerate(pieces)
        if not number or not _goes_on(text, is_spaced=is_spaced)
    ]
    ends = [0]
    for _, count in pieces:
        ends.append(ends[-1] + count)
    for begin, end in pairwise([*begins, len(pieces)]):
        stem = end
        while stem > begin + 1 and set(pieces[stem - 1][0]) <= CLOSING:
            stem -= 1
        text = "".join(piece for piece, _ in pieces[begin:end])
        yield text, ends[begin], ends[stem], ends[end]


def _goes_on(text: str, *, is_spaced: bool) -> bool:
    """True if a piece belongs to the word before it."""
    return set(text) <= CLOSING or (is_spaced and not text.startswith(" "))
