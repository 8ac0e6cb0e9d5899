"""Edited transcript: words without their punctuation, put back into the text that has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from models.subtitle_options import LEAD_IN
from models.text.transcript import Segment, Word
from models.text.words import CLOSING, bare


@dataclass(frozen=True)
class EditedSegment:
    """A segment's text and times in seconds, with words if it has its own."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


def timed_segments(edited: Sequence[EditedSegment], words: Sequence[Word]) -> list[Segment]:
    """The segments with their words; those without their own have those of `words` in their time.

    Words that do not spell their segment's text any more are left out: then nobody knows when the
    new ones are said.
    """
    shared, found = iter(_by_segment(edited, words)), []
    for number, each in enumerate(edited):
        theirs = next(shared)
        spelled = spelled_words(each.text, each.words or theirs)
        found.append(_segment(number, each, spelled))
    return found


def spelled_words(text: str, words: Sequence[Word]) -> tuple[Word, ...]:
    """The words with all of the text between them; none if they do not spell the text."""
    places, at = [], 0
    for word in words:
        core = bare(word.text)
        first = text.find(core, at) if core else -1
        if first < 0 or bare(text[at:first]):
            return ()
        places.append((first, at := first + len(core)))
    if not places or bare(text[at:]):
        return ()
    cuts = [0, *_cuts(text, places), len(text)]
    return tuple(replace(word, text=text[cuts[i] : cuts[i + 1]]) for i, word in enumerate(words))


def begun_early(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments, words up to `LEAD_IN` before their sound where there is a pause before them."""
    before = 0.0
    for segment in segments:
        moved = []
        for word in segment.words:
            start = max(before, min(word.start, round(word.start - LEAD_IN, 3)))
            moved.append(replace(word, start=min(start, word.start)))
            before = word.end
        yield replace(segment, words=tuple(moved))


def _by_segment(edited: Sequence[EditedSegment], words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words whose middle is before the end of each segment, and behind those before it."""
    at = 0
    for number, each in enumerate(edited):
        first, is_last = at, number == len(edited) - 1
        while at < len(words) and (is_last or words[at].start + words[at].end < 2 * each.end):
            at += 1
        yield list(words[first:at])


def _cuts(text: str, places: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Where one word's text ends and the next one's begins: before a space, behind punctuation."""
    for (_, end), (start, _) in pairwise(places):
        cut = end
        while cut < start and text[cut] in CLOSING:
            cut += 1
        yield cut


def _segment(number: int, edited: EditedSegment, words: tuple[Word, ...]) -> Segment:
    return Segment(
        id=number,
        seek=0,
        start=edited.start,
        end=edited.end,
        text=edited.text,
        tokens=(),
        temperature=0.0,
        avg_logprob=0.0,
        compression_ratio=0.0,
        no_speech_prob=0.0,
        words=words,
    )
