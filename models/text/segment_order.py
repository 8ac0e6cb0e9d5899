"""Segment order: segments sorted, numbered, and their words made not to overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count, pairwise
from operator import attrgetter

from models.text.transcript import Segment, Word


def by_time(segments: Sequence[Segment]) -> list[Segment]:
    """By their start; where one begins in the last word of another, that ends there."""
    ordered = sorted(segments, key=attrgetter("start"))
    return [ended_by(a, b.start) for a, b in pairwise(ordered)] + ordered[-1:]


def ended_by(segment: Segment, moment: float) -> Segment:
    """The segment, its last word cut at a moment, in seconds, that comes in it."""
    if not segment.words:
        return segment
    *others, last = segment.words
    if not last.start <= moment < last.end:
        return segment
    return replace(segment, words=(*others, replace(last, end=moment)), end=moment)


def clamped(segment: Segment, last: float) -> Segment:
    """The segment and its words without what lies behind a moment, in seconds."""
    words = tuple(
        replace(word, start=min(word.start, last), end=min(word.end, last))
        for word in segment.words
    )
    start, stop = min(segment.start, last), min(segment.end, last)
    return replace(segment, start=start, end=stop, words=words)


class Sequencer:
    """Numbers a recording's segments as they come; no word begins before the last has ended."""

    def __init__(self) -> None:
        self._numbers = count()
        self._said = 0.0

    def put(self, segment: Segment) -> Segment:
        """The next segment, with its place in the recording."""
        segment = replace(segment, id=next(self._numbers))
        if not segment.words:
            return segment
        words = tuple(map(self._begun, segment.words))
        return replace(segment, words=words, start=words[0].start, end=words[-1].end)

    def _begun(self, word: Word) -> Word:
        start = max(word.start, self._said)
        self._said = max(word.end, start)
        return replace(word, start=start, end=self._said)
