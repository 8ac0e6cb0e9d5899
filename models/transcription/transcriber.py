"""Transcription of one request: a recording in, its transcript out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import BinaryIO

import numpy as np

from models.audio.mel import Mel
from models.audio.samples import Samples
from models.audio.vad.whole_file import SpeechMap
from models.audio_options import MIX, ReadOptions
from models.engine.counters import EngineState
from models.engine.decoding.sequence import Window
from models.engine.engine import Engine
from models.errors import OptionError
from models.options import Strategy, TranscribeOptions, VoiceOptions
from models.request_stats import RequestStats
from models.text.script import ScriptNormalizer
from models.text.transcript import OnSegment, Segment, Transcript
from models.transcription.audio_input import AudioInput
from models.transcription.features import features, recording_features
from models.transcription.language_detection import detect
from models.transcription.live_decoding import decode_live
from models.transcription.live_window import LiveText, LiveWindow
from models.transcription.parallel import parallel
from models.transcription.sample_stream import Pieces, SampleStream
from models.transcription.sequential import sequential
from models.transcription.strategy import choose_strategy
from models.transcription.transcription_context import TranscriptionContext
from models.units import SAMPLE_RATE

# What a language was counted as before it had a token of its own.
_WIDER = {"yue": "zh"}


class Transcriber:
    """Transcribes recordings with one engine; `strategy` is what auto in their options means.

    `audio` reads them, and is its owner's to close; by default the transcriber has one of its own.
    """

    def __init__(
        self, engine: Engine, strategy: Strategy = "auto", audio: AudioInput | None = None
    ) -> None:
        self.engine, self.strategy = engine, strategy
        self.vocabulary = engine.vocabulary
        self._owns_audio = audio is None
        self._audio = audio or AudioInput.beside(engine.spare_threads)

    @property
    def nbytes(self) -> int:
        """Bytes of the engine's weights and cache."""
        return self.engine.backend.nbytes

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The transcript of the recording in `audio`, a file of any format FFmpeg knows.

        Cancelling the call takes its windows out of the engine. What it takes is noted in `stats`.

        Raises:
            AudioError: the file cannot be read.
            SandboxError: the process that read it was ended.
            OptionError: this checkpoint cannot do what is asked, or the file has no such sound.
            EngineStoppedError: the engine has been closed.
            DecodingError: it has failed.
        """
        options = self._checked(options)
        stats = stats or RequestStats()
        pieces = partial(self._audio.sandbox.read, audio, options.reading, stats.opened)
        return await self._transcribe(pieces, options, on_segment, stats)

    async def transcribe_samples(
        self, samples: Samples, options: TranscribeOptions, stats: RequestStats | None = None
    ) -> Transcript:
        """The transcript of samples, float32 mono at 16 kHz; what it takes is noted in `stats`."""
        options = self._checked(options)
        return await self._transcribe(lambda: (piece for piece in (samples,)), options, None, stats)

    async def decode_live(self, live: LiveWindow, stats: RequestStats | None = None) -> LiveText:
        """The text of a part of a turn that is still spoken, or that has just been.

        Cancelling the call takes its window out of the engine. What it takes is noted in `stats`.

        Raises:
            OptionError, EngineStoppedError, DecodingError: as for `transcribe`.
        """
        options = self._checked(replace(live.options, language=live.language))
        live = replace(live, options=options, language=options.language)
        return await decode_live(self.engine, self._audio.threads, live, stats or RequestStats())

    async def detect_language(
        self,
        audio: BinaryIO,
        among: Sequence[str] = (),
        stats: RequestStats | None = None,
        reading: ReadOptions = MIX,
    ) -> dict[str, float]:
        """The probability of each language, the first being the highest; none without speech.

        Only `among` these languages, if any are given. What it takes is noted in `stats`.

        Raises:
            AudioError, SandboxError, EngineStoppedError, DecodingError: as for `transcribe`.
            OptionError: this checkpoint knows English only, or not all of these languages; the
                file has no such sound.
        """
        if not self.vocabulary.dims.is_multilingual:
            raise OptionError("model", "This model knows English only: it detects no languages.")
        among = self._known(among)
        stats = stats or RequestStats()
        pieces = partial(self._audio.sandbox.read, audio, reading, stats.opened)
        with closing(SampleStream(pieces, self._audio.threads, stats)) as stream:
            return await detect(self.engine, stream, self._audio.detector, among, stats)

    async def _transcribe(
        self,
        pieces: Pieces,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        stats = stats or RequestStats()
        if options.strategy == "auto" and not options.condition_on_previous_text:
            options = replace(options, strategy=self.strategy)
        # Of a job nobody waits for the text; its transcript is that of a request without a stream.
        is_live = on_segment is not None and not options.is_job
        context = TranscriptionContext(self.engine, options, stats, is_live=is_live)
        script = ScriptNormalizer(options.scripts)
        segments: list[Segment] = []
        with closing(SampleStream(pieces, self._audio.threads, stats)) as stream:
            async for segment in self._segments(context, stream):
                stats.first_segment()
                told = segment
                if on_segment and options.task == "transcribe" and script.applies_to(segment):
                    # The rest cannot be waited for.
                    told = await asyncio.to_thread(script.normalized, segment)
                segments.append(told if is_live else segment)
                if on_segment:
                    on_segment(told)
        if not is_live and options.task == "transcribe" and any(map(script.applies_to, segments)):
            together = ScriptNormalizer(options.scripts)
            # In a thread: the tables of characters take half a second when they are read.
            segments = await asyncio.to_thread(together.normalized_together, segments)
        return Transcript(
            task=options.task,
            language=context.language or "en",
            duration=stream.length / SAMPLE_RATE,
            segments=tuple(segments),
        )

    async def _segments(
        self, context: TranscriptionContext, stream: SampleStream
    ) -> AsyncIterator[Segment]:
        segments = await stream.run(partial(self._begun, context, stream))
        async for segment in segments:
            yield segment

    def _begun(self, context: TranscriptionContext, stream: SampleStream) -> AsyncIterator[Segment]:
        """The segments by the strategy chosen; nothing is decoded before the first is asked for."""
        detector, options = self._audio.detector, context.options
        if choose_strategy(options, stream) == "parallel":
            context.is_long = True
            return parallel(context, stream, detector)
        speech = SpeechMap(detector, options.voice)
        mel = recording_features(self.engine, stream, speech)
        context.is_long = not mel.fits_one_window
        if speech.is_possible or "no_speech" not in options.drop:
            return sequential(context, stream, mel, speech.between)
        return _no_segments()

    def state(self) -> EngineState:
        """The engine's load and counters."""
        return self.engine.state()

    def warm_up(self) -> None:
        """Run one window of silence, so that the first request is as fast as those after it."""
        mel = self._audio.threads.first.submit(self._silence).result()
        window = Window("warm-up", mel.window(0), mel.content(0), language="en")
        self.engine.submit(window).result()

    def close(self) -> None:
        """Stop the engine; what it has not decoded fails."""
        self.engine.close()
        if self._owns_audio:
            self._audio.close()

    def _silence(self) -> Mel:
        silence = np.zeros(SAMPLE_RATE, np.float32)
        speech = SpeechMap(self._audio.detector, VoiceOptions())
        return features(self.engine, np.concatenate(list(speech.through([silence]))))

    def _checked(self, options: TranscribeOptions) -> TranscribeOptions:
        if options.task == "translate" and not self.vocabulary.dims.is_multilingual:
            raise OptionError("model", "This model knows English only: it cannot translate.")
        language = [options.language] if options.language is not None else []
        return replace(
            options,
            language=next(iter(self._known(language, "language")), None),
            languages=self._known(options.languages),
        )

    def _known(self, codes: Sequence[str], option: str = "languages") -> tuple[str, ...]:
        """The codes by which this checkpoint knows languages."""
        is_multilingual = self.vocabulary.dims.is_multilingual
        known = self.vocabulary.languages if is_multilingual else {"en"}
        # Cantonese came with large-v3; until then it was a part of Chinese.
        served = [_WIDER.get(code, code) if code not in known else code for code in codes]
        for code, wanted in zip(served, codes, strict=True):
            if code not in known:
                raise OptionError(option, f"This model does not know the language {wanted!r}.")
        return tuple(dict.fromkeys(served))


async def _no_segments() -> AsyncIterator[Segment]:
    """Those of a recording in which nobody speaks."""
    nothing: tuple[Segment, ...] = ()
    for segment in nothing:
        yield segment
