"""Speech map: voice activity of a recording, detected while it is read for something else."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

import numpy as np

from models.audio.samples import Samples, blocks
from models.audio.vad.silero import BLOCK, Silero
from models.audio.vad.soft_speech import SoftSpeechStream
from models.audio.vad.speech_spans import Span, SpanFinder, speech_between
from models.options import VoiceOptions
from models.units import SAMPLE_RATE

# Below it in every frame, the detector is as good as sure that nobody speaks: so it is in silence
# and steady noise, and in no speech that was tried, whispered or not.
_TRACE = 0.1


class SpeechMap:
    """The spans of a recording, complete once all of it has gone through."""

    def __init__(self, detector: Silero, voice: VoiceOptions) -> None:
        self._detector, self._voice = detector, voice
        self._is_complete = False
        self.spans: list[Span] = []
        self._maximum = 0.0

    @property
    def is_possible(self) -> bool:
        """True if there is any trace of speech in what has been read."""
        return bool(self.spans) or self._maximum >= _TRACE

    def through(self, pieces: Iterable[Samples]) -> Iterator[Samples]:
        """The same samples; the first time speech is detected in them."""
        return iter(pieces) if self._is_complete else self._detect(pieces)

    def _detect(self, pieces: Iterable[Samples]) -> Iterator[Samples]:
        stream, finder = SoftSpeechStream(self._detector), SpanFinder(self._voice)
        length = 0
        for block in blocks(pieces, BLOCK):
            probabilities = stream.feed(block)
            self._maximum = max(self._maximum, float(probabilities.max()))
            self.spans += finder.feed(probabilities)
            length += len(block)
            yield block
        self.spans += finder.feed(np.zeros(0, np.float32), length)
        self._is_complete = True

    def between(self, start: float, end: float) -> float:
        """The seconds of speech between two times, in seconds."""
        samples = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        first = bisect_left(self.spans, samples[0], key=attrgetter("end"))
        return speech_between(islice(self.spans, first, None), *samples) / SAMPLE_RATE
