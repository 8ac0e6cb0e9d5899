"""Recognizers of one turn: what they take is noted in its stats, and its text has one script."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from models.audio.samples import Samples
from models.live.recognizer import Recognizer, Recognizers
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.script import ScriptNormalizer
from models.text.transcript import Segment, Transcript
from models.transcription.live_window import LiveText, LiveWindow


class TurnRecognizers:
    """Models by name, whose work for one turn is noted in `stats`.

    Live texts are written in the session's script. Until a text that is told has settled that,
    each hypothesis is in a script of its own: it may be forgotten. A transcript of samples has its
    script already.
    """

    def __init__(
        self, recognizers: Recognizers, stats: RequestStats, script: ScriptNormalizer
    ) -> None:
        self._recognizers, self._stats, self._script = recognizers, stats, script

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Recognizer]:
        """A model that stays loaded within the block."""
        async with self._recognizers.use(name) as recognizer:
            yield _OfTurn(recognizer, self._stats, self._script)

    def settle(self, language: str, text: str) -> None:
        """Choose the session's script, if it has none yet, by a text that is told."""
        self._script.settle_texts([(language, text)])


class _OfTurn:
    def __init__(
        self, recognizer: Recognizer, stats: RequestStats, script: ScriptNormalizer
    ) -> None:
        self._recognizer, self._stats, self._script = recognizer, stats, script

    async def decode_live(self, live: LiveWindow, stats: RequestStats | None = None) -> LiveText:
        """The text of a part of a turn."""
        text = await self._recognizer.decode_live(live, stats or self._stats)
        if not self._script.applies_to(_segment(text)):
            return text
        text = _whole(text)
        new = iter((await self._written(_segment(text))).scores)
        return replace(text, scores=tuple(score and next(new) for score in text.scores))

    async def _written(self, segment: Segment) -> Segment:
        """A whole hypothesis in the session's script: what stands around a character counts."""
        while True:
            chosen = self._script.chosen
            # In a thread: the tables of characters take half a second when they are read. So a
            # copy, as other turns' texts may choose meanwhile; then it is written once more.
            written = await asyncio.to_thread(self._script.copy().normalized, segment)
            if self._script.chosen == chosen:
                return written

    async def transcribe_samples(
        self, samples: Samples, options: TranscribeOptions, stats: RequestStats | None = None
    ) -> Transcript:
        """The transcript of a whole turn."""
        return await self._recognizer.transcribe_samples(samples, options, stats or self._stats)


def _whole(text: LiveText) -> LiveText:
    """A text without the part of a character that it may end with.

    What becomes of that character is known once it is whole.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    end = 0
    for place, score in enumerate(text.scores, start=1):
        decoder.decode(score.data if score else b"")
        if not decoder.getstate()[0]:
            end = place
    spoken = sum(score is not None for score in text.scores[:end])
    return replace(
        text,
        tokens=text.tokens[:end],
        logprobs=text.logprobs[:end],
        scores=text.scores[:end],
        starts=text.starts[: spoken + 1] if spoken else (),
    )


def _segment(text: LiveText) -> Segment:
    """A live text as a segment, as far as its script is concerned."""
    scores = tuple(score for score in text.scores if score)
    return Segment(
        id=0,
        seek=0,
        start=0.0,
        end=text.end,
        text=b"".join(score.data for score in scores).decode("utf-8", "replace"),
        tokens=text.tokens,
        temperature=0.0,
        avg_logprob=0.0,
        compression_ratio=0.0,
        no_speech_prob=0.0,
        scores=scores,
        language=text.language,
    )
