"""Word boundaries moved to the pauses in the sound.

Times from attention are early, or with some checkpoints late, by a near constant lead. Long words
lose their end to the next one, for a word is known before it has been said to its end. Around
pauses times are anywhere in the pause.
"""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from models.text.transcript import Segment, Word

# Start and end in seconds.
Span = tuple[float, float]

# How much the letters of two words say of where one ends and the other begins; above a half, words
# could change places.
_LETTERS_SHARE = 0.4
# Seconds that letters move a boundary at most: where they disagree by more, there is some other
# sound between the words.
_LETTERS_REACH = 0.15
# A boundary and a pause belong together that are so many seconds apart at most.
_PAUSE_REACH = 0.15
# Seconds that a pause must leave of the words at it.
_SHORTEST_WORD = 0.02


@dataclass(frozen=True)
class WindowBounds:
    """A window's `start` and `end`, and its `pauses` in order, all in seconds."""

    start: float
    end: float
    pauses: Sequence[Span]


def moved(
    segments: Sequence[Segment], bounds: WindowBounds, lead: float, lead_in: float = 0.0
) -> list[Segment]:
    """A window's segments with their words moved to their sound; segments last as their words.

    Words stay in order, apart and within the window. `lead` is by how many seconds the attention is
    early; less than 0: late. Words begin `lead_in` seconds before their sound, where there is a
    pause before them.
    """
    words = [word for segment in segments for word in segment.words]
    if not words:
        return list(segments)
    times = _by_pauses([_within(bounds, word, lead) for word in words], bounds.pauses)
    times = _in_order(_by_letters(times, list(map(_letters, words))), bounds)
    found = iter(_timed(words, _begun_early(times, lead_in, bounds.start)))
    return [_lasting(segment, tuple(islice(found, len(segment.words)))) for segment in segments]


def _within(bounds: WindowBounds, word: Word, lead: float) -> Span:
    start, end = (
        min(max(time + lead, bounds.start), bounds.end) for time in (word.start, word.end)
    )
    return start, end


def _by_pauses(times: Sequence[Span], pauses: Sequence[Span]) -> list[Span]:
    """A pause ends the word before it and begins the word after it."""
    starts, ends = (list(side) for side in zip(*times, strict=True))
    # The edges of boundary k: where word k - 1 ends, and where word k begins.
    edges = [
        (starts[0], starts[0]),
        *((min(a, b), max(a, b)) for a, b in zip(ends, starts[1:], strict=False)),
        (ends[-1], ends[-1]),
    ]
    taken: dict[int, Span] = {}
    for pause in pauses:
        around = range(
            max(0, bisect_left(ends, pause[0]) - 1), min(bisect(starts, pause[1]) + 1, len(edges))
        )
        place = min(around, key=lambda k: _apart(pause, edges[k]))
        longest = taken.get(place, (0.0, 0.0))
        if _apart(pause, edges[place])[0] <= _PAUSE_REACH and _length(pause) > _length(longest):
            taken[place] = pause
    for place, (first, after) in taken.items():
        if place and first < starts[place - 1] + _SHORTEST_WORD:
            continue
        if place < len(starts) and after > ends[place] - _SHORTEST_WORD:
            continue
        if place:
            ends[place - 1] = first
        if place < len(starts):
            starts[place] = after
    return list(zip(starts, ends, strict=True))


def _apart(pause: Span, edges: Span) -> tuple[float, float]:
    """Seconds between a pause and a boundary, and between their middles."""
    return max(0.0, pause[0] - edges[1], edges[0] - pause[1]), abs(sum(pause) - sum(edges))


def _length(span: Span) -> float:
    return span[1] - span[0]


def _by_letters(times: Sequence[Span], letters: Sequence[int]) -> list[Span]:
    """Words without a pause between them share their time a little more as their letters do."""
    starts, ends = (list(side) for side in zip(*times, strict=True))
    for k, (a, b) in enumerate(pairwise(times), start=1):
        if b[0] - a[1] > _SHORTEST_WORD:
            continue
        boundary = (a[1] + b[0]) / 2
        share = letters[k - 1] / (letters[k - 1] + letters[k])
        step = _LETTERS_SHARE * (a[0] + (b[1] - a[0]) * share - boundary)
        starts[k] = ends[k - 1] = boundary + max(-_LETTERS_REACH, min(step, _LETTERS_REACH))
    return list(zip(starts, ends, strict=True))


def _letters(word: Word) -> int:
    return max(1, sum(map(str.isalnum, word.text)))


def _in_order(times: Sequence[Span], bounds: WindowBounds) -> list[Span]:
    ordered: list[Span] = []
    before = bounds.start
    for start, end in times:
        start = min(max(round(start, 2), before), bounds.end)
        before = min(max(round(end, 2), start), bounds.end)
        ordered.append((start, before))
    return ordered


def _begun_early(times: Sequence[Span], lead_in: float, before: float) -> Iterator[Span]:
    for start, end in times:
        yield max(before, min(start, round(start - lead_in, 3))), end
        before = end


def _timed(words: Sequence[Word], times: Iterator[Span]) -> Iterator[Word]:
    for word, (start, end) in zip(words, times, strict=True):
        yield replace(word, start=start, end=end)


def _lasting(segment: Segment, words: tuple[Word, ...]) -> Segment:
    if not words:
        return segment
    return replace(segment, words=words, start=words[0].start, end=words[-1].end)
