"""Transcription of one window of speech; speech that its text leaves out is decoded again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from models.audio.mel import Mel
from models.audio.windows.window_stream import SpeechWindow
from models.engine.decoding.sequence import DecodingResult, Window
from models.text.segment_order import by_time, clamped
from models.text.transcript import Segment
from models.transcription.features import features_in_thread
from models.transcription.language_vote import LanguageVote
from models.transcription.sample_stream import SampleStream
from models.transcription.segmenter import SegmentedWindow
from models.transcription.transcription_context import TranscriptionContext
from models.transcription.uncovered_speech import uncovered, without_repeated
from models.transcription.window_parts import DecodedPart, PartDecoder
from models.units import FRAMES_PER_SECOND, HOP, SAMPLE_RATE

# Samples of speech that tell one language from another.
_TELLING = 3 * SAMPLE_RATE


class WindowTranscription:
    """A window on its way through the engine; only the one that `is_first` has the prompt."""

    def __init__(
        self,
        context: TranscriptionContext,
        stream: SampleStream,
        languages: LanguageVote,
        speech: SpeechWindow,
        mel: Mel,
        *,
        is_first: bool,
    ) -> None:
        self.context, self.stream, self.languages = context, stream, languages
        self.samples, self.plan = speech.samples, speech.plan
        self.in_short_lane = is_first and context.is_live
        history = context.first_history() if is_first else ()
        telling = self.plan.speech_between(self.plan.start, self.plan.end)
        language = languages.choice(is_short=telling < _TELLING)
        window = context.window(mel, 0, history, language, in_short_lane=self.in_short_lane)
        self.first = context.with_guard(window, telling / SAMPLE_RATE)
        # The pause that a window begins and ends with is ours: no text is in it.
        self.parts = PartDecoder(context, self._speech, slack=0.0)

    async def segments(self) -> list[Segment]:
        """The window's segments in the recording's time; none last beyond it."""
        return by_time(await self._part(self.first, self.plan.start, self.plan.end))

    async def _part(self, window: Window, start: int, end: int) -> list[Segment]:
        result = await self._decoded(window)
        seconds = self.plan.speech_between(start, end) / SAMPLE_RATE
        frames = -(-(end - start) // HOP)
        if self.context.repetition(seconds, frames).says_nothing(result):
            return []
        parts = await self.parts.split(DecodedPart(window, start // HOP, frames, result))
        cut = self.parts.cut(parts)
        found = [clamped(segment, end / SAMPLE_RATE) for segment in cut.segments]
        for gap in self._uncovered(parts[-1].result, cut, start, end):
            again = await self._part(await self._window(*gap, result.language), *gap)
            begin = gap[0] / SAMPLE_RATE
            before = [each for each in found if each.start < begin]
            found += without_repeated(again, before, begin, self._speech)
        return found

    async def _decoded(self, window: Window) -> DecodingResult:
        """The result, in a language that the recording is in as far as its windows can tell."""
        engine = self.context.engine
        result = await asyncio.wrap_future(engine.submit(window))
        if result.language_probs is None:
            return result
        language = await asyncio.shield(self.languages.settled)
        if language == result.language or self.languages.is_sure(
            result.language_probs, result.language
        ):
            return result
        return await asyncio.wrap_future(engine.submit(replace(window, language=language)))

    async def _window(self, start: int, end: int, language: str) -> Window:
        samples = self.samples[start - self.plan.start : end - self.plan.start]
        mel = await features_in_thread(self.context.engine, samples, self.stream)
        window = self.context.window(mel, 0, (), language, in_short_lane=self.in_short_lane)
        return self.context.with_guard(window, self.plan.speech_between(start, end) / SAMPLE_RATE)

    def _speech(self, start: float, end: float) -> float:
        return self.plan.speech_between(_sample(start), _sample(end)) / SAMPLE_RATE

    def _uncovered(
        self, result: DecodingResult, cut: SegmentedWindow, start: int, end: int
    ) -> list[tuple[int, int]]:
        """The spans of speech without text, also where the text broke off; in samples.

        Whisper leaves the last sentence to the next window if it is not whole.
        """
        text_end = result.tokens[-1:]
        is_cut_off = bool(text_end) and text_end[0] < self.context.vocabulary.timestamp_begin
        first, last = start / SAMPLE_RATE, end / SAMPLE_RATE
        text_spans = [(a, min(b, last)) for a, b in cut.text_spans]
        gaps = uncovered(text_spans, first, last, self._speech, is_cut_off=is_cut_off)
        return [(_sample(a), min(_sample(b), end)) for a, b in gaps]


def _sample(seconds: float) -> int:
    return round(seconds * FRAMES_PER_SECOND) * HOP
