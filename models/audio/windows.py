"""Spans to windows: what is said together is decoded together, and cuts fall into pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.audio.vad import FRAME, SAMPLE_RATE, Span

HOP = 160  # samples in a frame of log-mel: windows start where one starts
LONGEST = 30 * SAMPLE_RATE
# Nobody speaks for so long: what is on both sides has little to say to each other, and Whisper
# invents text for what lies between.
_SEPARATE = 8 * SAMPLE_RATE
# A pause of a second is as good a place as any longer one.
_CLEAR_PAUSE = 1.0
# Frames over which a span's quietest place is sought: single ones dip inside words.
_SMOOTHING = 5


@dataclass(frozen=True)
class PlannedWindow:
    """A window of the recording, `start` and `end` in samples; `spans` is the speech in it."""

    start: int
    end: int
    spans: tuple[Span, ...]

    def speech_between(self, start: int, end: int) -> int:
        """How many samples of speech lie there."""
        return sum(max(0, min(span.end, end) - max(span.start, start)) for span in self.spans)


def plan_windows(
    spans: Sequence[Span], probabilities: NDArray[np.float32], length: int, padding_ms: int
) -> list[PlannedWindow]:
    """Windows of at most 30 s, in order and disjoint, that hold all spans.

    A window goes from its first span to its last with the pauses between, so that times in it
    are times in the file but for its start; around them it has `padding_ms` of the pause.
    `length` is the recording's in samples, `probabilities` are as for `speech_spans`.
    """
    padding = padding_ms * SAMPLE_RATE // 1000
    # Rounding to hops may add one on either side.
    longest = LONGEST - 2 * (padding + HOP)
    pieces = [piece for span in spans for piece in _split(span, probabilities, longest)]
    groups = _group(pieces, longest)
    edges = [0, *(_between(a[-1], b[0]) for a, b in pairwise(groups)), length]
    return [
        PlannedWindow(
            max(least, (group[0].start - padding) // HOP * HOP),
            min(most, -(-(group[-1].end + padding) // HOP) * HOP),
            tuple(group),
        )
        for group, (least, most) in zip(groups, pairwise(edges), strict=False)
    ]


def _between(a: Span, b: Span) -> int:
    """The middle of the pause, on a hop: spans are a frame apart or were cut on a hop."""
    return (a.end + b.start) // 2 // HOP * HOP


def _split(span: Span, probabilities: NDArray[np.float32], longest: int) -> Iterator[Span]:
    """The span, cut where speech is least probable until no piece is longer than `longest`."""
    start = span.start
    while span.end - start > longest:
        # Not before the middle: two pieces must not become three.
        first = (start + longest // 2) // FRAME + 1
        last = min(start + longest, span.end - FRAME) // FRAME
        around = probabilities[first - _SMOOTHING : last + _SMOOTHING + 1]
        smooth = np.convolve(around, np.ones(_SMOOTHING) / _SMOOTHING, "same")
        quiet = smooth[_SMOOTHING : _SMOOTHING + last - first]
        cut = ((first + int(np.argmin(quiet))) * FRAME + FRAME // 2) // HOP * HOP
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def _group(pieces: Sequence[Span], longest: int) -> list[Sequence[Span]]:
    """Neighbours that make one window each: the cheapest of all ways to cut."""
    costs, starts = [0.0], [0]
    for end in range(1, len(pieces) + 1):
        choices = [
            (costs[first] + _cost(pieces, first, end, longest), first)
            for first in _firsts(pieces, end, longest)
        ]
        cost, first = min(choices)
        costs.append(cost)
        starts.append(first)
    cuts = [len(pieces)]
    while cuts[-1]:
        cuts.append(starts[cuts[-1]])
    return [pieces[first:end] for first, end in pairwise(cuts[::-1])]


def _firsts(pieces: Sequence[Span], end: int, longest: int) -> Iterator[int]:
    """With which pieces a window may begin that holds all up to the one before `end`."""
    yield end - 1
    for first in range(end - 2, -1, -1):
        fits = pieces[end - 1].end - pieces[first].start <= longest
        if not fits or pieces[first + 1].start - pieces[first].end >= _SEPARATE:
            return
        yield first


def _cost(pieces: Sequence[Span], first: int, end: int, longest: int) -> float:
    """What a window of these pieces costs: itself, its empty part, and the cut before it.

    The square makes windows of like length rather than full ones and a scrap.
    """
    empty = 1 - (pieces[end - 1].end - pieces[first].start) / longest
    pause = (pieces[first].start - pieces[first - 1].end) / SAMPLE_RATE if first else _CLEAR_PAUSE
    return 1 + empty**2 + max(0.0, 1 - pause / _CLEAR_PAUSE)
