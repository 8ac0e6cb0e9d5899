"""One request: a recording in, its transcript out, window after window."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import BinaryIO

from models.audio.load import load
from models.audio.mel import LogMel, Samples
from models.engine.engine import Engine
from models.engine.sequence import DecodingResult, Window
from models.errors import OptionError
from models.guards import is_good, is_silence
from models.options import TranscribeOptions
from models.text.segments import cut_at_timestamps, drop_empty
from models.text.transcript import Segment, Transcript

SAMPLE_RATE = 16_000
# Above it a window's text is too random to be the next window's prompt (whisper/transcribe.py).
MAX_PROMPT_TEMPERATURE = 0.5


class Transcriber:
    """Transcribes recordings with one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.vocabulary = engine.vocabulary

    async def transcribe(self, audio: BinaryIO, options: TranscribeOptions) -> Transcript:
        """The transcript of the recording in `audio`, a file of any format FFmpeg knows.

        Cancelling the call takes its windows out of the engine.

        Raises:
            AudioError: the file cannot be read.
            OptionError: this checkpoint cannot do what is asked.
            EngineStoppedError: the engine has been closed or has failed.
        """
        self._check(options)
        samples = await asyncio.to_thread(load, audio)
        return await self.transcribe_samples(samples, options)

    async def transcribe_samples(self, samples: Samples, options: TranscribeOptions) -> Transcript:
        """The transcript of samples, float32 mono at 16 kHz."""
        n_mels = self.vocabulary.dims.n_mels
        mel = await asyncio.to_thread(LogMel, samples, n_mels)
        recording = _Recording(self.engine, mel, options)
        segments = [segment async for segment in recording.segments()]
        return Transcript(
            task=options.task,
            language=recording.language or "en",
            duration=len(samples) / SAMPLE_RATE,
            segments=tuple(segments),
        )

    def close(self) -> None:
        """Stop the engine; what it has not decoded fails."""
        self.engine.close()

    def _check(self, options: TranscribeOptions) -> None:
        known = {"en"}
        if self.vocabulary.dims.is_multilingual:
            known.update(self.vocabulary.languages)
        elif options.task == "translate":
            raise OptionError("model", "This model knows English only: it cannot translate.")
        if options.language is not None and options.language not in known:
            raise OptionError(
                "language", f"This model does not know the language {options.language!r}."
            )


class _Recording:
    """The seek loop of openai-whisper's `transcribe` over one recording (whisper/transcribe.py)."""

    def __init__(self, engine: Engine, mel: LogMel, options: TranscribeOptions) -> None:
        self.engine, self.mel, self.options = engine, mel, options
        self.vocabulary = engine.vocabulary
        self.request = uuid.uuid4().hex
        self.language = options.language
        self.previous: tuple[int, ...] = ()
        if options.initial_prompt:
            self.previous = self.vocabulary.encode(" " + options.initial_prompt.strip())
        self.accept: Callable[[DecodingResult], bool] = partial(is_good, options)

    async def segments(self) -> AsyncIterator[Segment]:
        """The segments in order, each as soon as its window is done."""
        seek, number = 0, 0
        while seek < self.mel.frames:
            result = await self._decode(seek)
            self.language = result.language
            frames = self.mel.content(seek)
            if is_silence(self.options, result):
                seek += frames
                continue
            segments, after = self._cut(result, seek, frames, number)
            for segment in segments:
                yield segment
            self._remember(segments, result)
            seek, number = after, number + len(segments)

    async def _decode(self, seek: int) -> DecodingResult:
        window = Window(
            request=self.request,
            mel=self.mel.window(seek),
            task=self.options.task,
            language=self.language,
            previous=self.previous,
            temperatures=self.options.temperature,
            accept=self.accept,
        )
        return await asyncio.wrap_future(self.engine.submit(window))

    def _cut(
        self, result: DecodingResult, seek: int, frames: int, number: int
    ) -> tuple[list[Segment], int]:
        cuts, after = cut_at_timestamps(
            result.tokens,
            seek=seek,
            frames=frames,
            timestamp_begin=self.vocabulary.timestamp_begin,
        )
        segments: list[Segment] = []
        for cut in cuts:
            text, tokens = drop_empty(cut, self.vocabulary.decode)
            segments.append(
                Segment(
                    id=number + len(segments),
                    seek=seek,
                    start=cut.start,
                    end=cut.end,
                    text=text,
                    tokens=tokens,
                    temperature=result.temperature,
                    avg_logprob=result.avg_logprob,
                    compression_ratio=result.compression_ratio,
                    no_speech_prob=result.no_speech_prob,
                )
            )
        return segments, after

    def _remember(self, segments: list[Segment], result: DecodingResult) -> None:
        if not self.options.condition_on_previous_text:
            self.previous = ()
            return
        self.previous += tuple(token for segment in segments for token in segment.tokens)
        if result.temperature > MAX_PROMPT_TEMPERATURE:
            self.previous = ()
