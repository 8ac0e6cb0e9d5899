"""Word durations made plausible: none spans a pause (openai-whisper, whisper/timing.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

from models.text.transcript import Segment, Word
from models.text.words import merge_punctuation

# Those of openai-whisper and no others: durations are to be the same.
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
    limits = DurationLimits.of(found)
    shortened = iter(shorten_at_sentence_ends(found, limits))
    timed: list[Segment] = []
    for segment, own in zip(segments, words, strict=True):
        merged = merge_punctuation(list(islice(shortened, len(own))))
        if merged:
            own = fit_to_segment(merged, segment.start, segment.end, start, limits)
            fitted = tuple(map(_rounded, own))
            start = fitted[-1].end
            segment = replace(segment, words=fitted, start=fitted[0].start, end=start)
        timed.append(segment)
    return timed


@dataclass(frozen=True)
class DurationLimits:
    """Durations of a window's words in seconds: the median, and the longest plausible one."""

    median: float
    maximum: float

    @classmethod
    def of(cls, words: Sequence[Word]) -> DurationLimits:
        """The limits that these words give."""
        lengths = [length for word in words if (length := word.end - word.start) > 0]
        middle = min(_LONGEST_MEDIAN, median(lengths)) if lengths else 0.0
        return cls(middle, 2 * middle)


def _rounded(word: Word) -> Word:
    """To a frame, as openai-whisper rounds."""
    return replace(word, start=round(word.start, 2), end=round(word.end, 2))


def shorten_at_sentence_ends(words: Sequence[Word], limits: DurationLimits) -> list[Word]:
    """No long word on either side of the end of a sentence: there the pause was counted in."""
    shortened: list[Word] = []
    before = ""
    for word in words:
        if before and word.end - word.start > limits.maximum:
            if word.text in _SENTENCE_ENDS:
                word = replace(word, end=word.start + limits.maximum)
            elif before in _SENTENCE_ENDS:
                word = replace(word, start=word.end - limits.maximum)
        shortened.append(word)
        before = word.text
    return shortened


def fit_to_segment(
    words: Sequence[Word], start: float, end: float, before: float, limits: DurationLimits
) -> list[Word]:
    """The words of a segment that its timestamps say lasts from `start` to `end`, after `before`.

    A pause may have been counted in with the first words or with the last one.
    """
    first, *rest = words
    if first.end - before > 4 * limits.median:
        first, rest = _after_pause(first, rest, limits)
    if first.start + _DISAGREEMENT < start < first.end:
        first = replace(first, start=max(first.start, min(first.end - limits.median, start)))
    *others, last = [first, *rest]
    if last.start < end < last.end - _DISAGREEMENT:
        last = replace(last, end=min(last.end, max(last.start + limits.median, end)))
    return [*others, last]


def _after_pause(
    first: Word, rest: Sequence[Word], limits: DurationLimits
) -> tuple[Word, list[Word]]:
    second = rest[0] if rest else None
    both_are_long = second is not None and second.end - first.start > 2 * limits.maximum
    if first.end - first.start <= limits.maximum and not both_are_long:
        return first, list(rest)
    if second is not None and second.end - second.start > limits.maximum:
        boundary = max(first.start, second.end - limits.maximum)
        first, rest = replace(first, end=boundary), [replace(second, start=boundary), *rest[1:]]
    return replace(first, start=max(first.start, first.end - limits.maximum)), list(rest)
