"""Word times made plausible: no word lasts through a pause (openai-whisper, whisper/timing.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

from models.text.transcript import Segment, Word
from models.text.words import merge_punctuation

_SENTENCE_ENDS = frozenset(".。!！?？")  # noqa: RUF001
# Nobody drawls so; longer medians come from pauses that were taken for words.
_LONGEST_MEDIAN = 0.7
# By so many seconds the timestamps around a segment must disagree with its words to be believed.
_DISAGREEMENT = 0.5


def with_words(
    segments: Sequence[Segment], words: Sequence[Sequence[Word]], start: float
) -> list[Segment]:
    """A window's segments with their words, whose times they take; the window begins at `start`.

    `words` are each segment's as they were found, punctuation by itself.
    """
    found = [word for own in words for word in own]
    pace = Pace.of(found)
    shortened = iter(shorten_at_sentence_ends(found, pace))
    timed: list[Segment] = []
    for segment, own in zip(segments, words, strict=True):
        merged = merge_punctuation(list(islice(shortened, len(own))))
        if merged:
            own = fit_to_segment(merged, segment.start, segment.end, start, pace)
            fitted = tuple(map(_rounded, own))
            start = fitted[-1].end
            segment = replace(segment, words=fitted, start=fitted[0].start, end=start)
        timed.append(segment)
    return timed


@dataclass(frozen=True)
class Pace:
    """How long words of a window last in seconds: in the middle, and at most."""

    median: float
    longest: float

    @classmethod
    def of(cls, words: Sequence[Word]) -> Pace:
        """The pace of these words."""
        lengths = [length for word in words if (length := word.end - word.start) > 0]
        middle = min(_LONGEST_MEDIAN, median(lengths)) if lengths else 0.0
        return cls(middle, 2 * middle)


def _rounded(word: Word) -> Word:
    """To a frame, as openai-whisper rounds."""
    return replace(word, start=round(word.start, 2), end=round(word.end, 2))


def shorten_at_sentence_ends(words: Sequence[Word], pace: Pace) -> list[Word]:
    """No long word on either side of the end of a sentence: there the pause was counted in."""
    shortened: list[Word] = []
    before = ""
    for word in words:
        if before and word.end - word.start > pace.longest:
            if word.text in _SENTENCE_ENDS:
                word = replace(word, end=word.start + pace.longest)
            elif before in _SENTENCE_ENDS:
                word = replace(word, start=word.end - pace.longest)
        shortened.append(word)
        before = word.text
    return shortened


def fit_to_segment(
    words: Sequence[Word], start: float, end: float, before: float, pace: Pace
) -> list[Word]:
    """The words of a segment that its timestamps say lasts from `start` to `end`, after `before`.

    A pause may have been counted in with the first words or with the last one.
    """
    first, *rest = words
    if first.end - before > 4 * pace.median:
        first, rest = _after_pause(first, rest, pace)
    if first.start + _DISAGREEMENT < start < first.end:
        first = replace(first, start=max(first.start, min(first.end - pace.median, start)))
    *others, last = [first, *rest]
    if last.start < end < last.end - _DISAGREEMENT:
        last = replace(last, end=min(last.end, max(last.start + pace.median, end)))
    return [*others, last]


def _after_pause(first: Word, rest: Sequence[Word], pace: Pace) -> tuple[Word, list[Word]]:
    second = rest[0] if rest else None
    both_are_long = second is not None and second.end - first.start > 2 * pace.longest
    if first.end - first.start <= pace.longest and not both_are_long:
        return first, list(rest)
    if second is not None and second.end - second.start > pace.longest:
        boundary = max(first.start, second.end - pace.longest)
        first, rest = replace(first, end=boundary), [replace(second, start=boundary), *rest[1:]]
    return replace(first, start=max(first.start, first.end - pace.longest)), list(rest)
