"""Uncovered speech: detected in a window whose text has nothing there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

from models.text.speech_edges import SpeechBetween
from models.text.transcript import Segment

Span = tuple[float, float]

# Seconds of speech without text that cannot be a breath, or timestamps that are not exact.
MIN = 1.0
_WORD = re.compile(r"\w+")
# Seconds by which timestamps may miss the speech.
_SLACK = 0.5
# Seconds around a moment that tell whether it is in the midst of speech.
_AROUND = 0.1


def uncovered(
    text_spans: Sequence[Span], start: float, end: float, speech: SpeechBetween, *, is_cut_off: bool
) -> Iterator[Span]:
    """The spans of much speech before, between and behind the `text_spans`; all in seconds.

    Whisper jumps over sentences, over soft ones beside loud ones above all. A text that is cut off
    in its last sentence leaves out any speech behind it. Without any text there is nothing that
    tells where to go on; nor is there where a text is at a time without speech: then it is the
    text of another.
    """
    if not text_spans or text_spans[-1][1] <= text_spans[0][0]:
        return
    if not all(speech(first - _SLACK, last + _SLACK) > 0 for first, last in text_spans):
        return
    edges = [(start, start), *text_spans, (end, end)]
    *gaps, last_gap = [(before[1], after[0]) for before, after in pairwise(edges)]
    yield from (gap for gap in gaps if speech(*gap) > MIN)
    if speech(*last_gap) > (0 if is_cut_off else MIN):
        yield last_gap


def without_repeated(
    segments: Sequence[Segment], before: Sequence[Segment], start: float, speech: SpeechBetween
) -> list[Segment]:
    """The segments found from `start` on, without those that repeat the end of the text before.

    A timestamp that comes too early, in the midst of speech, leaves the end of its text to be found
    again.
    """
    if speech(start - _AROUND, start + _AROUND) < _AROUND:
        return list(segments)
    said = _words(sorted(before, key=attrgetter("start")))
    count = next(
        (n for n in range(len(segments), 0, -1) if _ends_with(said, _words(segments[:n]))), 0
    )
    return list(segments[count:])


def _words(segments: Sequence[Segment]) -> list[str]:
    return [word.casefold() for each in segments for word in _WORD.findall(each.text)]


def _ends_with(words: Sequence[str], last: Sequence[str]) -> bool:
    return bool(last) and list(words[-len(last) :]) == list(last)
