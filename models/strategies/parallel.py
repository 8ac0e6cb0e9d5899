"""All windows side by side: speech is found first, and each stretch of it decoded on its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice, pairwise
from operator import attrgetter

from models.audio.mel import LogMel
from models.audio.silero import Silero
from models.audio.stream import SpeechWindow, speech_windows
from models.audio.windows import HOP
from models.engine.sequence import DecodingResult, Window
from models.guards import is_silence
from models.strategies.recording import Recording, numbered
from models.strategies.source import Source
from models.text.segments import FRAMES_PER_SECOND
from models.text.transcript import Segment

# Windows of one recording with the engine at once: enough to keep its slots full while the next
# are made, few enough that a recording of hours holds no more memory than one of minutes.
IN_FLIGHT = 16
# Samples of speech without text that cannot be a breath, or timestamps that are not exact.
_UNHEARD = 16_000

Reading = asyncio.Task[tuple[SpeechWindow, LogMel] | None]


async def parallel(
    recording: Recording, source: Source, detector: Silero
) -> AsyncIterator[Segment]:
    """The segments in order, each as soon as its window and all before it are done.

    Where the language is not known the first window is decoded alone and tells the others. Where
    somebody reads along it goes before the others.
    """
    windows = speech_windows(source.pieces(), detector, recording.options.voice)
    numbers = count()
    running: deque[asyncio.Task[list[Segment]]] = deque()
    previous, hurries = recording.prompt(), recording.is_live
    # One window is read ahead of those that are with the engine.
    reading: Reading | None = _next(recording, source, windows, ahead=False)
    try:
        while reading or running:
            ready = [reading] if reading and len(running) < _room(recording) else []
            await asyncio.wait([*ready, *islice(running, 1)], return_when=asyncio.FIRST_COMPLETED)
            for read in (task.result() for task in ready if task.done()):
                reading = None
                if read:
                    work = _Work(recording, source, *read, previous, hurries=hurries)
                    running.append(asyncio.create_task(work.segments()))
                    previous, hurries = (), False
                    ahead = len(running) > IN_FLIGHT // 2
                    reading = _next(recording, source, windows, ahead=ahead)
            while running and running[0].done():
                for segment in running.popleft().result():
                    yield numbered(segment, next(numbers))
    finally:
        tasks = [*running, *([reading] if reading else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _next(
    recording: Recording, source: Source, windows: Iterator[SpeechWindow], *, ahead: bool
) -> Reading:
    """Reads on to the next window, and makes its log-mel in the same thread."""

    def read() -> tuple[SpeechWindow, LogMel] | None:
        window = next(windows, None)
        if window is None:
            return None
        return window, LogMel(window.samples, recording.vocabulary.dims.n_mels)

    return asyncio.create_task(source.run(read, ahead=ahead))


def _room(recording: Recording) -> int:
    knows = recording.language or not recording.vocabulary.dims.is_multilingual
    return IN_FLIGHT if knows else 1


class _Work:
    """One planned window; where its text leaves out speech, that part is decoded again."""

    def __init__(
        self,
        recording: Recording,
        source: Source,
        window: SpeechWindow,
        mel: LogMel,
        previous: tuple[int, ...],
        *,
        hurries: bool,
    ) -> None:
        self.recording, self.source, self.hurries = recording, source, hurries
        self.first = recording.window(mel, 0, previous, hurries=hurries)
        self.samples, self.plan = window.samples, window.plan

    async def segments(self) -> list[Segment]:
        """The window's segments in the recording's time; none last beyond it."""
        found = await self._part(self.first, self.plan.start, self.plan.end)
        return sorted(found, key=attrgetter("start"))

    async def _part(self, window: Window, start: int, end: int) -> list[Segment]:
        result = await asyncio.wrap_future(self.recording.engine.submit(window))
        self.recording.language = self.recording.language or result.language
        if is_silence(self.recording.options, result):
            return []
        cut = self.recording.cut(result, start // HOP, -(-(end - start) // HOP))
        found = [_clamped(segment, end) for segment in cut.segments]
        for hole in self._unheard(result, found, end):
            found += await self._part(await self._window(*hole), *hole)
        return found

    async def _window(self, start: int, end: int) -> Window:
        samples = self.samples[start - self.plan.start : end - self.plan.start]
        n_mels = self.recording.vocabulary.dims.n_mels
        mel = await self.source.run(partial(LogMel, samples, n_mels))
        return self.recording.window(mel, 0, (), hurries=self.hurries)

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
