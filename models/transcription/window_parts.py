"""A window whose text goes round in a loop, decoded again in parts: shorter ones loop less."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from models.audio.mel import excerpt
from models.audio.windows.pauses import pauses
from models.engine.decoding.sequence import DecodingResult, Window
from models.text.edges import SpeechBetween, at_speech
from models.text.segment_order import clamped
from models.text.transcript import Segment
from models.transcription.segmenter import CutWindow
from models.transcription.transcription_context import TranscriptionContext
from models.transcription.uncovered_speech import uncovered, without_repeated
from models.units import FRAMES_PER_SECOND

# Halves of halves.
_DEEPEST = 2
# Seconds of speech that are worth being divided.
_MIN = 1.5
# Seconds around a place that tell whether it lies in a pause, and between two such places.
_AROUND, _STEP = 0.1, 0.05


@dataclass(frozen=True)
class Part:
    """A window that holds `frames` frames of the recording from `seek` on, and what came out."""

    window: Window
    seek: int
    frames: int
    result: DecodingResult

    @property
    def end(self) -> int:
        """The frame of the recording behind it."""
        return self.seek + self.frames

    @property
    def middle(self) -> float:
        """Its middle, in seconds of the recording."""
        return (self.seek + self.frames / 2) / FRAMES_PER_SECOND


@dataclass(frozen=True)
class WindowParts:
    """Decodes the windows of one recording again in parts, where their texts are in doubt.

    Segments may be off from their speech by `slack` seconds: see `at_speech`.
    """

    context: TranscriptionContext
    speech: SpeechBetween
    slack: float

    async def of(self, whole: Part, deepest: int = _DEEPEST) -> list[Part]:
        """The parts that are in less doubt than the whole, or the whole alone."""
        doubt = self._doubt(whole)
        if self.context.options.loop_threshold is None or not deepest or not doubt:
            return [whole]
        if self._seconds(whole) < _MIN:
            return [whole]
        middle = self._pause(whole)
        found = await asyncio.gather(
            self._half(whole, whole.seek, middle, deepest),
            self._half(whole, middle, whole.end, deepest),
        )
        parts = [part for half in found for part in half]
        # What loops all over is no speech: rather its words once than once a part.
        return parts if 2 * sum(map(self._doubt, parts)) <= doubt else [whole]

    def cut(self, parts: Sequence[Part]) -> CutWindow:
        """Their texts one behind the other; of several, repetition is why they are in doubt."""
        if len(parts) == 1:
            return self._cut(parts[0])
        options = self.context.options
        spoken = [part for part in parts if not self._says_nothing(part)]
        cuts = [(part, self._cut(part)) for part in spoken]
        segments = [_repeated(each, part) for part, cut in cuts for each in cut.segments]
        is_wanted = "repetition" not in options.drop
        return CutWindow(
            segments=tuple(segments) if is_wanted else (),
            after=cuts[-1][1].after if spoken[-1:] == [parts[-1]] else parts[-1].end,
            told=tuple(times for _, cut in cuts for times in cut.told),
        )

    async def uncovered(
        self, whole: Part, cut: CutWindow, deepest: int = _DEEPEST
    ) -> list[Segment]:
        """What is said where its text leaves out speech, up to where the next window begins."""
        start, end = whole.seek / FRAMES_PER_SECOND, min(cut.after, whole.end) / FRAMES_PER_SECOND
        found: list[Segment] = []
        if not deepest:
            return found
        for hole in uncovered(cut.told, start, end, self.speech, is_cut_off=False):
            first, last = (round(second * FRAMES_PER_SECOND) for second in hole)
            part = await self._decoded(whole, first, last, whole.window.temperatures)
            if self._says_nothing(part):
                continue
            told = self.cut(await self.of(part))
            told = replace(told, after=last)
            before = [each for each in (*cut.segments, *found) if each.start < hole[0]]
            new = without_repeated(told.segments, before, hole[0], self.speech)
            found += [clamped(each, hole[1]) for each in new]
            if new:
                found += await self.uncovered(part, told, deepest - 1)
        return found

    def _cut(self, part: Part) -> CutWindow:
        cut = self.context.segmenter.cut(
            part.result,
            part.seek,
            part.frames,
            self.speech,
            partial(pauses, part.window.audio, part.frames),
        )
        spoken = (at_speech(each, self.speech, self.slack) for each in cut.segments)
        return replace(cut, segments=tuple(spoken))

    async def _half(self, whole: Part, start: int, end: int, deepest: int) -> list[Part]:
        once = whole.window.temperatures[:1]
        return await self.of(await self._decoded(whole, start, end, once), deepest - 1)

    async def _decoded(
        self, whole: Part, start: int, end: int, temperatures: tuple[float, ...]
    ) -> Part:
        first, last = start - whole.seek, end - whole.seek
        window = replace(
            whole.window,
            audio=excerpt(whole.window.audio, first, last),
            frames=end - start,
            language=whole.result.language,
            previous=(),
            temperatures=temperatures,
        )
        window = self.context.weighed(window, self._speech(start, end))
        result = await asyncio.wrap_future(self.context.engine.submit(window))
        return Part(window, start, end - start, result)

    def _doubt(self, part: Part) -> float:
        """Seconds of speech whose text is in doubt for its repetition."""
        seconds = self._seconds(part)
        return seconds * self.context.repetition(seconds, part.frames).doubt(part.result)

    def _says_nothing(self, part: Part) -> bool:
        guard = self.context.repetition(self._seconds(part), part.frames)
        return guard.says_nothing(part.result)

    def _seconds(self, part: Part) -> float:
        return self._speech(part.seek, part.end)

    def _speech(self, start: int, end: int) -> float:
        return self.speech(start / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND)

    def _pause(self, part: Part) -> int:
        """The frame with the least speech around it, the nearest to the middle of such."""
        steps = range(-int(part.frames / FRAMES_PER_SECOND / 4 / _STEP), 0)
        offsets = [_STEP * step for far in reversed(steps) for step in (far, -far)]
        places = [part.middle, *(part.middle + offset for offset in offsets)]

        def around(place: float) -> float:
            # Rounded: what is the same but for its last digits is no reason to go far.
            return round(self.speech(place - _AROUND, place + _AROUND), 2)

        best = min(places, key=around)
        return round(best * FRAMES_PER_SECOND)


def _repeated(segment: Segment, part: Part) -> Segment:
    segment = clamped(segment, part.end / FRAMES_PER_SECOND)
    others = [flag for flag in segment.flags if flag != "repetition"]
    return replace(segment, flags=("repetition", *others)) if segment.text else segment
