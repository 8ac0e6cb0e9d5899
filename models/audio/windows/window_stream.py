"""Window stream: the speech windows of a recording, each as soon as it is settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.audio.samples import Samples, blocks
from models.audio.vad.silero import BLOCK, Silero
from models.audio.vad.soft_speech import SoftSpeechStream
from models.audio.vad.speech_spans import SpanFinder
from models.audio.windows.window_plan import PlannedWindow, Planner
from models.options import VoiceOptions


@dataclass(frozen=True)
class SpeechWindow:
    """A planned window with its own samples."""

    plan: PlannedWindow
    samples: Samples


def speech_windows(
    pieces: Iterable[Samples], detector: Silero, voice: VoiceOptions
) -> Iterator[SpeechWindow]:
    """The windows of a recording, whose samples come in pieces.

    They are those of the whole recording planned at once. Only samples that windows to come may
    hold are kept.
    """
    stream = SpeechStream(detector, voice)
    for block in blocks(pieces, BLOCK):
        yield from stream.feed(block)
    yield from stream.finish()


class SpeechStream:
    """The windows of a recording that comes block by block."""

    def __init__(self, detector: Silero, voice: VoiceOptions) -> None:
        self._detector_stream = SoftSpeechStream(detector)
        self._finder = SpanFinder(voice)
        self._planner = Planner(voice.prefix_padding_ms)
        self._held: list[Samples] = []
        self._first = self._read = 0

    def feed(self, block: Samples) -> Iterator[SpeechWindow]:
        """The windows that are settled now."""
        self._held.append(block)
        self._read += len(block)
        self._plan(self._detector_stream.feed(block), None)
        known = min(self._finder.known, self._read)  # the last frame may reach beyond the end
        yield from map(self._with_samples, self._planner.settled(known))
        self._drop(self._planner.needed(known))

    def finish(self) -> Iterator[SpeechWindow]:
        """The windows that are left at the recording's end."""
        self._plan(np.zeros(0, np.float32), self._read)
        yield from map(self._with_samples, self._planner.finish(self._read))

    def _plan(self, probabilities: NDArray[np.float32], length: int | None) -> None:
        finder = self._finder
        for span in finder.feed(probabilities, length):
            self._planner.add(span, finder.probabilities, finder.first)
        if finder.open:
            self._planner.grow(finder.open, finder.probabilities, finder.first)

    def _with_samples(self, plan: PlannedWindow) -> SpeechWindow:
        parts: list[Samples] = []
        start = self._first
        for block in self._held:
            parts.append(block[max(0, plan.start - start) : max(0, plan.end - start)])
            start += len(block)
        return SpeechWindow(plan, np.concatenate(parts))

    def _drop(self, until: int) -> None:
        while self._held and self._first + len(self._held[0]) <= until:
            self._first += len(self._held.pop(0))
