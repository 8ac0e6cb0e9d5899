"""Windows whose text repeats in a loop, halved and decoded again: shorter ones loop less."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from models.audio.mel import excerpt
from models.audio.windows.pauses import pauses
from models.engine.decoding.sequence import DecodingResult, Prefix, Window
from models.request_stats import RequestStats
from models.text.segment_order import clamped
from models.text.segments import slice_at_timestamps
from models.text.speech_edges import SpeechBetween, at_speech
from models.text.transcript import Segment
from models.transcription.segmenter import SegmentedWindow
from models.transcription.sparse_text import SparseText
from models.transcription.transcription_context import TranscriptionContext
from models.transcription.uncovered_speech import uncovered, without_repeated
from models.units import FRAMES_PER_SECOND

# Halves of halves.
_MAX_DEPTH = 2
# Seconds of speech that are worth being divided.
_MIN = 1.5
# Seconds around a place that tell whether it lies in a pause, and between two such places.
_AROUND, _STEP = 0.1, 0.05


@dataclass(frozen=True)
class DecodedPart:
    """A window that holds `frames` frames of the recording from `seek` on, and what came out.

    `next_seek` is the frame where the next window starts, if the result's timestamps do not say so.
    """

    window: Window
    seek: int
    frames: int
    result: DecodingResult
    next_seek: int | None = None

    @property
    def end(self) -> int:
        """The frame of the recording behind it."""
        return self.seek + self.frames

    @property
    def middle(self) -> float:
        """Its middle, in seconds of the recording."""
        return (self.seek + self.frames / 2) / FRAMES_PER_SECOND


@dataclass(frozen=True)
class PartDecoder:
    """Decodes the windows of one recording again in parts, where their texts are in doubt.

    Segments may be off from their speech by `slack` seconds: see `at_speech`.
    """

    context: TranscriptionContext
    speech: SpeechBetween
    slack: float

    async def split(self, whole: DecodedPart, depth: int = _MAX_DEPTH) -> list[DecodedPart]:
        """The parts that are in less doubt than the whole, or the whole alone.

        Their segments are where their text is heard: see `SparseText`.
        """
        return await asyncio.gather(*map(self._timed, await self._split(whole, depth)))

    async def _split(self, whole: DecodedPart, depth: int) -> list[DecodedPart]:
        doubt = self._doubt(whole)
        if self.context.options.loop_threshold is None or not depth or not doubt:
            return [whole]
        if self._seconds(whole) < _MIN:
            return [whole]
        middle = self._pause(whole)
        halves = await asyncio.gather(
            self._half(whole, whole.seek, middle, depth),
            self._half(whole, middle, whole.end, depth),
        )
        parts = [part for half in halves for part in half]
        # What loops all over is no speech: rather its words once than once a part.
        return parts if 2 * sum(map(self._doubt, parts)) <= doubt else [whole]

    def cut(self, parts: Sequence[DecodedPart]) -> SegmentedWindow:
        """Their texts one behind the other; those of several are flagged as repetition."""
        if len(parts) == 1:
            return self._cut(parts[0])
        options = self.context.options
        spoken = [part for part in parts if not self._says_nothing(part)]
        cuts = [(part, self._cut(part)) for part in spoken]
        segments = [_repeated(each, part) for part, cut in cuts for each in cut.segments]
        is_wanted = "repetition" not in options.drop
        return SegmentedWindow(
            segments=tuple(segments) if is_wanted else (),
            next_seek=cuts[-1][1].next_seek if spoken[-1:] == [parts[-1]] else parts[-1].end,
            text_spans=tuple(times for _, cut in cuts for times in cut.text_spans),
        )

    async def uncovered(
        self, whole: DecodedPart, cut: SegmentedWindow, depth: int = _MAX_DEPTH
    ) -> list[Segment]:
        """The segments of speech that its text leaves out, up to where the next window begins."""
        start, end = (
            whole.seek / FRAMES_PER_SECOND,
            min(cut.next_seek, whole.end) / FRAMES_PER_SECOND,
        )
        segments: list[Segment] = []
        if not depth:
            return segments
        for gap in uncovered(cut.text_spans, start, end, self.speech, is_cut_off=False):
            first, last = (round(second * FRAMES_PER_SECOND) for second in gap)
            part = await self._decoded(whole, first, last, whole.window.temperatures)
            if self._says_nothing(part):
                continue
            part_cut = self.cut(await self.split(part))
            part_cut = replace(part_cut, next_seek=last)
            before = [each for each in (*cut.segments, *segments) if each.start < gap[0]]
            new = without_repeated(part_cut.segments, before, gap[0], self.speech)
            segments += [clamped(each, gap[1]) for each in new]
            if new:
                segments += await self.uncovered(part, part_cut, depth - 1)
        return segments

    def _cut(self, part: DecodedPart) -> SegmentedWindow:
        cut = self.context.segmenter.cut(
            part.result,
            part.seek,
            part.frames,
            self.speech,
            partial(pauses, part.window.audio, part.frames),
        )
        spoken = (at_speech(each, self.speech, self.slack) for each in cut.segments)
        next_seek = cut.next_seek if part.next_seek is None else part.next_seek
        return replace(cut, segments=tuple(spoken), next_seek=next_seek)

    async def _half(
        self, whole: DecodedPart, start: int, end: int, depth: int
    ) -> list[DecodedPart]:
        once = whole.window.temperatures[:1]
        return await self._split(await self._decoded(whole, start, end, once), depth - 1)

    async def _timed(self, part: DecodedPart) -> DecodedPart:
        """The part with the times of its tokens put right where its text is sparse."""
        vocabulary, result = self.context.vocabulary, part.result
        sparse = SparseText(vocabulary, self.speech, part.seek / FRAMES_PER_SECOND)
        cuts, next_seek = slice_at_timestamps(
            result.tokens,
            seek=part.seek,
            frames=part.frames,
            timestamp_begin=vocabulary.timestamp_begin,
        )
        # A text that broke off is as long as can be, or a loop.
        if not result.is_whole or not any(map(sparse.is_sparse, cuts)):
            return part
        starts = result.starts or await self._starts(part)
        return replace(part, result=sparse.at_sound(result, cuts, starts), next_seek=next_seek)

    async def _starts(self, part: DecodedPart) -> tuple[float, ...]:
        """Where the tokens of a part's text are heard: it is fed again, and is nobody's output."""
        window = replace(
            part.window,
            language=part.result.language,
            prefix=Prefix(part.result.tokens, part.result.logprobs),
            temperatures=(0.0,),
            accept=lambda _: True,
            is_hopeless=lambda *_: False,
            word_timestamps=True,
            stats=RequestStats(),
        )
        return (await asyncio.wrap_future(self.context.engine.submit(window))).starts

    async def _decoded(
        self, whole: DecodedPart, start: int, end: int, temperatures: tuple[float, ...]
    ) -> DecodedPart:
        first, last = start - whole.seek, end - whole.seek
        window = replace(
            whole.window,
            audio=excerpt(whole.window.audio, first, last),
            frames=end - start,
            language=whole.result.language,
            previous=(),
            temperatures=temperatures,
        )
        window = self.context.with_guard(window, self._speech(start, end))
        result = await asyncio.wrap_future(self.context.engine.submit(window))
        return DecodedPart(window, start, end - start, result)

    def _doubt(self, part: DecodedPart) -> float:
        """Seconds of speech whose text is in doubt for its repetition."""
        seconds = self._seconds(part)
        return seconds * self.context.repetition(seconds, part.frames).doubt(part.result)

    def _says_nothing(self, part: DecodedPart) -> bool:
        guard = self.context.repetition(self._seconds(part), part.frames)
        return guard.says_nothing(part.result)

    def _seconds(self, part: DecodedPart) -> float:
        return self._speech(part.seek, part.end)

    def _speech(self, start: int, end: int) -> float:
        return self.speech(start / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND)

    def _pause(self, part: DecodedPart) -> int:
        """The frame with the least speech around it, the nearest to the middle of such."""
        steps = range(-int(part.frames / FRAMES_PER_SECOND / 4 / _STEP), 0)
        offsets = [_STEP * step for far in reversed(steps) for step in (far, -far)]
        places = [part.middle, *(part.middle + offset for offset in offsets)]

        def around(place: float) -> float:
            # Rounded: what is the same but for its last digits is no reason to go far.
            return round(self.speech(place - _AROUND, place + _AROUND), 2)

        best = min(places, key=around)
        return round(best * FRAMES_PER_SECOND)


def _repeated(segment: Segment, part: DecodedPart) -> Segment:
    segment = clamped(segment, part.end / FRAMES_PER_SECOND)
    others = [flag for flag in segment.flags if flag != "repetition"]
    return replace(segment, flags=("repetition", *others)) if segment.text else segment
