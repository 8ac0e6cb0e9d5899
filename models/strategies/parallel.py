"""All windows side by side: speech is found first, and each stretch of it decoded on its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import count, pairwise
from operator import attrgetter

from models.audio.mel import LogMel, Samples
from models.audio.silero import Silero
from models.audio.vad import speech_spans
from models.audio.windows import HOP, PlannedWindow, plan_windows
from models.engine.sequence import DecodingResult
from models.guards import is_silence
from models.strategies.recording import Recording, numbered
from models.text.segments import FRAMES_PER_SECOND
from models.text.transcript import Segment

# Windows of one recording with the engine at once: enough to keep its slots full while the next
# are made, few enough that a recording of hours holds no more memory than one of minutes.
IN_FLIGHT = 16
# Samples of speech without text that cannot be a breath, or timestamps that are not exact.
_UNHEARD = 16_000


def find_windows(samples: Samples, detector: Silero, recording: Recording) -> list[PlannedWindow]:
    """The recording's windows: those parts in which somebody speaks."""
    voice = recording.options.voice
    probabilities = detector.probabilities(samples)
    spans = speech_spans(probabilities, len(samples), voice)
    return plan_windows(spans, probabilities, len(samples), voice.prefix_padding_ms)


async def parallel(
    recording: Recording, samples: Samples, windows: Sequence[PlannedWindow]
) -> AsyncIterator[Segment]:
    """The segments in order, each as soon as its window and all before it are done.

    Where the language is not known the first window is decoded alone and tells the others.
    """
    numbers = count()
    running: deque[asyncio.Task[list[Segment]]] = deque()
    waiting = deque(windows)
    previous = recording.prompt()
    try:
        while waiting or running:
            while waiting and len(running) < _room(recording):
                work = _Work(recording, samples, waiting.popleft(), previous)
                running.append(asyncio.create_task(work.segments()))
                previous = ()
            for segment in await running[0]:
                yield numbered(segment, next(numbers))
            running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _room(recording: Recording) -> int:
    knows = recording.language or not recording.vocabulary.dims.is_multilingual
    return IN_FLIGHT if knows else 1


class _Work:
    """One planned window; where its text leaves out speech, that part is decoded again."""

    def __init__(
        self,
        recording: Recording,
        samples: Samples,
        plan: PlannedWindow,
        previous: tuple[int, ...],
    ) -> None:
        self.recording, self.samples, self.plan = recording, samples, plan
        self.previous = previous

    async def segments(self) -> list[Segment]:
        """The window's segments in the recording's time; none last beyond it."""
        found = await self._part(self.plan.start, self.plan.end)
        return sorted(found, key=attrgetter("start"))

    async def _part(self, start: int, end: int) -> list[Segment]:
        result = await self._decode(start, end)
        self.recording.language = self.recording.language or result.language
        if is_silence(self.recording.options, result):
            return []
        cut = self.recording.cut(result, start // HOP, -(-(end - start) // HOP))
        found = [_clamped(segment, end) for segment in cut.segments]
        for hole in self._unheard(result, found, end):
            found += await self._part(*hole)
        return found

    async def _decode(self, start: int, end: int) -> DecodingResult:
        n_mels = self.recording.vocabulary.dims.n_mels
        mel = await asyncio.to_thread(LogMel, self.samples[start:end], n_mels)
        window = self.recording.window(mel, 0, self.previous)
        self.previous = ()
        return await asyncio.wrap_future(self.recording.engine.submit(window))

    def _unheard(
        self, result: DecodingResult, segments: Sequence[Segment], end: int
    ) -> list[tuple[int, int]]:
        """Where the text leaves out much speech, and where it broke off; in samples.

        Whisper jumps over sentences, and leaves the last one to the next window if it is not
        whole. Without any text there is nowhere to go on from.
        """
        heard = [(_sample(s.start), _sample(s.end)) for s in segments if s.text]
        if not heard or heard[-1][1] <= heard[0][0]:
            return []
        gaps = [(a[1], b[0]) for a, b in pairwise(heard)]
        holes = [gap for gap in gaps if self.plan.speech_between(*gap) > _UNHEARD]
        rest = heard[-1][1], end
        broke_off = (
            bool(result.tokens) and result.tokens[-1] < self.recording.vocabulary.timestamp_begin
        )
        if self.plan.speech_between(*rest) > (0 if broke_off else _UNHEARD):
            holes.append(rest)
        return holes


def _sample(seconds: float) -> int:
    return round(seconds * FRAMES_PER_SECOND) * HOP


def _clamped(segment: Segment, end: int) -> Segment:
    last = end / HOP / FRAMES_PER_SECOND
    return replace(segment, start=min(segment.start, last), end=min(segment.end, last))
