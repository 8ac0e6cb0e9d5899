"""One planned window of speech; where its text leaves out speech, that part is decoded again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

from models.audio.mel import Mel
from models.audio.stream import SpeechWindow
from models.audio.vad import SAMPLE_RATE
from models.audio.windows import HOP
from models.engine.sequence import DecodingResult, Window
from models.strategies.cutting import CutWindow
from models.strategies.hearing import heard_aside
from models.strategies.languages import LanguageChoice
from models.strategies.parts import Part, Parts
from models.strategies.recording import Recording
from models.strategies.source import Source
from models.text.order import clamped, in_turn
from models.text.segments import FRAMES_PER_SECOND
from models.text.transcript import Segment

# Samples of speech without text that cannot be a breath, or timestamps that are not exact.
_UNHEARD = 16_000
# Samples of speech that tell one language from another.
_TELLING = 3 * SAMPLE_RATE


class SpokenWindow:
    """A window on its way through the engine; only the one that `is_first` is told the prompt."""

    def __init__(
        self,
        recording: Recording,
        source: Source,
        languages: LanguageChoice,
        speech: SpeechWindow,
        mel: Mel,
        *,
        is_first: bool,
    ) -> None:
        self.recording, self.source, self.languages = recording, source, languages
        self.samples, self.plan = speech.samples, speech.plan
        self.hurries = is_first and recording.is_live
        history = recording.first_history() if is_first else ()
        telling = self.plan.speech_between(self.plan.start, self.plan.end)
        language = languages.ask(is_short=telling < _TELLING)
        window = recording.window(mel, 0, history, language, hurries=self.hurries)
        self.first = recording.weighed(window, telling / SAMPLE_RATE)
        # The pause that a window begins and ends with is ours: no text is in it.
        self.parts = Parts(recording, self._speech, slack=0.0)

    async def segments(self) -> list[Segment]:
        """The window's segments in the recording's time; none last beyond it."""
        return in_turn(await self._part(self.first, self.plan.start, self.plan.end))

    async def _part(self, window: Window, start: int, end: int) -> list[Segment]:
        result = await self._decoded(window)
        seconds = self.plan.speech_between(start, end) / SAMPLE_RATE
        if self.recording.repetition(seconds).says_nothing(result):
            return []
        frames = -(-(end - start) // HOP)
        parts = await self.parts.of(Part(window, start // HOP, frames, result))
        cut = self.parts.cut(parts)
        found = [clamped(segment, end / SAMPLE_RATE) for segment in cut.segments]
        for hole in self._unheard(parts[-1].result, cut, end):
            found += await self._part(await self._window(*hole, result.language), *hole)
        return found

    async def _decoded(self, window: Window) -> DecodingResult:
        """The result, in a language that the recording is in as far as its windows can tell."""
        engine = self.recording.engine
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
        mel = await heard_aside(self.recording.engine, samples, self.source)
        window = self.recording.window(mel, 0, (), language, hurries=self.hurries)
        return self.recording.weighed(window, self.plan.speech_between(start, end) / SAMPLE_RATE)

    def _speech(self, start: float, end: float) -> float:
        return self.plan.speech_between(_sample(start), _sample(end)) / SAMPLE_RATE

    def _unheard(self, result: DecodingResult, cut: CutWindow, end: int) -> list[tuple[int, int]]:
        """Where the text leaves out much speech, and where it broke off; in samples.

        Whisper jumps over sentences, and leaves the last one to the next window if it is not
        whole. Without any text there is nowhere to go on from.
        """
        told = [(_sample(a), min(_sample(b), end)) for a, b in cut.told]
        if not told or told[-1][1] <= told[0][0]:
            return []
        gaps = [(a[1], b[0]) for a, b in pairwise(told)]
        holes = [gap for gap in gaps if self.plan.speech_between(*gap) > _UNHEARD]
        rest = told[-1][1], end
        broke_off = (
            bool(result.tokens) and result.tokens[-1] < self.recording.vocabulary.timestamp_begin
        )
        if self.plan.speech_between(*rest) > (0 if broke_off else _UNHEARD):
            holes.append(rest)
        return holes


def _sample(seconds: float) -> int:
    return round(seconds * FRAMES_PER_SECOND) * HOP
