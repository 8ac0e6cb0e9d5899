"""Where in a recording somebody speaks, found while it is read for something else."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from models.audio.blocks import blocks
from models.audio.silero import BLOCK, Listener, Silero
from models.audio.vad import SAMPLE_RATE, Span, SpanFinder
from models.options import VoiceOptions

Samples = NDArray[np.float32]


class SpeechMap:
    """The spans of a recording, complete once all of it has gone through."""

    def __init__(self, detector: Silero, voice: VoiceOptions) -> None:
        self._detector, self._voice = detector, voice
        self._is_complete = False
        self.spans: list[Span] = []

    def through(self, pieces: Iterable[Samples]) -> Iterator[Samples]:
        """The same samples, listened to the first time."""
        return iter(pieces) if self._is_complete else self._listen(pieces)

    def _listen(self, pieces: Iterable[Samples]) -> Iterator[Samples]:
        listener, finder = Listener(self._detector), SpanFinder(self._voice)
        length = 0
        for block in blocks(pieces, BLOCK):
            self.spans += finder.feed(listener.hear(block))
            length += len(block)
            yield block
        self.spans += finder.feed(np.zeros(0, np.float32), length)
        self._is_complete = True

    def is_heard(self, start: float, end: float) -> bool:
        """Whether somebody speaks between two times, in seconds."""
        first = bisect_left(self.spans, start * SAMPLE_RATE, key=attrgetter("end"))
        return first < len(self.spans) and self.spans[first].start < end * SAMPLE_RATE
