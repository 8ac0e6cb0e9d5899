"""Window plan: spans of speech in windows of at most 30 s, cut in pauses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.audio.vad.speech_spans import Span, speech_between
from models.audio.windows.grouping import Group, SpanGrouper
from models.units import HOP, SAMPLE_RATE, VAD_FRAME, WINDOW_SAMPLES

# Frames over which a span's quietest place is sought: single ones dip inside words.
_SMOOTHING = 5


@dataclass(frozen=True)
class PlannedWindow:
    """A window of the recording, `start` and `end` in samples; `spans` is the speech in it."""

    start: int
    end: int
    spans: tuple[Span, ...]

    def speech_between(self, start: int, end: int) -> int:
        """The samples of speech between two places."""
        return speech_between(self.spans, start, end)


class Planner:
    """Plans the windows of a recording while its spans are being found."""

    def __init__(self, padding_ms: int) -> None:
        self._padding = padding_ms * SAMPLE_RATE // 1000
        # Rounding to hops may add one on either side.
        self._longest = WINDOW_SAMPLES - 2 * (self._padding + HOP)
        self._grouper = SpanGrouper(self._longest)
        self._groups: list[Group] = []
        self._before: Span | None = None
        self._cut = 0

    def add(self, span: Span, probabilities: NDArray[np.float32], first: int) -> None:
        """The next span; `probabilities` are those of the frames from `first` on."""
        self._split(span, probabilities, first, self._longest)
        self._grouper.add(Span(max(span.start, self._cut), span.end))

    def grow(self, span: Span, probabilities: NDArray[np.float32], first: int) -> None:
        """A span that may go on: as much of it is cut off as its end cannot change."""
        self._split(span, probabilities, first, self._longest + 2 * VAD_FRAME)

    def settled(self, known: int) -> list[PlannedWindow]:
        """The next windows; speech to come, none of which starts before `known`, keeps them."""
        known = max(known, self._cut)
        self._groups += self._grouper.settled(known)
        windows = []
        while self._groups:
            following = self._groups[1] if self._groups[1:] else self._grouper.pieces
            last = self._groups[0][-1]
            if not following and _between(last.end, known) < self._padded(last.end):
                break
            maximum = _between(last.end, following[0].start if following else known)
            windows.append(self._window(maximum))
        return windows

    def finish(self, length: int) -> list[PlannedWindow]:
        """The windows that are left of a recording of `length` samples."""
        self._groups += self._grouper.finish()
        after = [_between(a[-1].end, b[0].start) for a, b in pairwise(self._groups)]
        return [self._window(maximum) for maximum in [*after, length][: len(self._groups)]]

    def needed(self, known: int) -> int:
        """The first sample that windows to come may hold."""
        waiting = self._groups[0] if self._groups else self._grouper.pieces
        first = waiting[0].start if waiting else max(known, self._cut)
        return max(0, first - self._padding - HOP)

    def _window(self, maximum: int) -> PlannedWindow:
        """The next group's window, which ends at `most` where not before."""
        group = self._groups.pop(0)
        start, end = group[0].start, group[-1].end
        minimum = _between(self._before.end, start) if self._before else 0
        self._before = group[-1]
        start = max(minimum, (start - self._padding) // HOP * HOP)
        return PlannedWindow(start, min(maximum, self._padded(end)), group)

    def _padded(self, end: int) -> int:
        return -(-(end + self._padding) // HOP) * HOP

    def _split(
        self, span: Span, probabilities: NDArray[np.float32], offset: int, longest: int
    ) -> None:
        """Cuts the span where speech is least probable until what is left is not too long."""
        start = max(span.start, self._cut)
        while span.end - start > longest:
            # Not before the middle: two pieces must not become three.
            first = (start + self._longest // 2) // VAD_FRAME + 1
            last = min(start + self._longest, span.end - VAD_FRAME) // VAD_FRAME
            around = probabilities[first - _SMOOTHING - offset : last + _SMOOTHING + 1 - offset]
            smooth = np.convolve(around, np.ones(_SMOOTHING) / _SMOOTHING, "same")
            quiet = smooth[_SMOOTHING : _SMOOTHING + last - first]
            self._cut = ((first + int(np.argmin(quiet))) * VAD_FRAME + VAD_FRAME // 2) // HOP * HOP
            self._grouper.add(Span(start, self._cut))
            start = self._cut


def _between(end: int, start: int) -> int:
    """The middle of the pause, on a hop: spans are a frame apart or were cut on a hop."""
    return (end + start) // 2 // HOP * HOP
