"""Grouping of speech into windows: an online shortest path over all places to cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from models.audio.vad.speech_spans import Span
from models.units import SAMPLE_RATE

# Nobody speaks for so long: what is on both sides has little to say to each other, and Whisper
# invents text for what lies between.
_SEPARATE = 8 * SAMPLE_RATE
# A pause of a second is as good a place as any longer one.
_CLEAR_PAUSE = 1.0
# Two paths may stay equally good for hours, where all pauses are alike. What is undecided
# for so long is cut the way that is best now: the samples wait in memory.
_PATIENCE = 180 * SAMPLE_RATE

Group = tuple[Span, ...]


class SpanGrouper:
    """Groups pieces of speech while they are being found.

    Place n lies before piece n. For each place the cheapest path to it is known, by its cost and
    by where its last group starts. What every path has in common is settled (as in Viterbi).
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._before: Span | None = None
        self._restart((), 0.0)

    def _restart(self, pieces: Group, cost: float) -> None:
        self.pieces: list[Span] = []
        self._costs, self._starts = [cost], [0]
        for piece in pieces:
            self.add(piece)

    def add(self, piece: Span) -> None:
        """The next piece; none is longer than a group may be."""
        self.pieces.append(piece)
        end = len(self.pieces)
        cost, first = min(
            (self._costs[first] + self._cost(first, end), first) for first in self._firsts(end)
        )
        self._costs.append(cost)
        self._starts.append(first)

    def settled(self, known: int) -> list[Group]:
        """The next groups; pieces to come, none of which starts before `known`, keep them."""
        paths = [self._path(place) for place in self._ends(known)]
        cuts = sorted(set(paths[0]).intersection(*paths[1:]))
        if len(cuts) == 1 and self.pieces and known - self.pieces[0].start > _PATIENCE:
            cuts = paths[0][:2]
        return self._take(cuts)

    def finish(self) -> list[Group]:
        """The groups that are left when no piece is to come."""
        return self._take(self._path(len(self.pieces)))

    def _take(self, cuts: list[int]) -> list[Group]:
        groups = [tuple(self.pieces[first:end]) for first, end in pairwise(cuts)]
        if groups:
            self._before = groups[-1][-1]
            self._restart(tuple(self.pieces[cuts[-1] :]), self._costs[cuts[-1]])
        return groups

    def _path(self, place: int) -> list[int]:
        """The cuts of the cheapest path to a place, both ends included."""
        cuts = [place]
        while cuts[-1]:
            cuts.append(self._starts[cuts[-1]])
        return cuts[::-1]

    def _ends(self, known: int) -> Iterator[int]:
        """The places where a group with pieces to come may begin."""
        yield len(self.pieces)
        following = known
        for place in range(len(self.pieces) - 1, -1, -1):
            piece = self.pieces[place]
            if known - piece.start >= self._longest or following - piece.end >= _SEPARATE:
                return
            yield place
            following = piece.start

    def _firsts(self, end: int) -> Iterator[int]:
        """With which pieces a group may begin that holds all up to the one before `end`."""
        yield end - 1
        for first in range(end - 2, -1, -1):
            fits = self.pieces[end - 1].end - self.pieces[first].start <= self._longest
            if not fits or self.pieces[first + 1].start - self.pieces[first].end >= _SEPARATE:
                return
            yield first

    def _cost(self, first: int, end: int) -> float:
        """The cost of a group: itself, its empty part, and the cut before it.

        The square makes windows of like length rather than full ones and a scrap.
        """
        start = self.pieces[first].start
        empty = 1 - (self.pieces[end - 1].end - start) / self._longest
        before = self.pieces[first - 1] if first else self._before
        pause = (start - before.end) / SAMPLE_RATE if before else _CLEAR_PAUSE
        return 1 + empty**2 + max(0.0, 1 - pause / _CLEAR_PAUSE)
