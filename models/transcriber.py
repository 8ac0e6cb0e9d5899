"""One request: a recording in, its transcript out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO

from models.audio.load import SAMPLE_RATE, load
from models.audio.mel import LogMel, Samples
from models.audio.silero import load_silero
from models.engine.engine import Engine
from models.errors import OptionError
from models.options import TranscribeOptions
from models.strategies.parallel import find_windows, parallel
from models.strategies.recording import Recording
from models.strategies.sequential import sequential
from models.text.transcript import Segment, Transcript


class Transcriber:
    """Transcribes recordings with one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.vocabulary = engine.vocabulary
        self.detector = load_silero()

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
        recording = Recording(self.engine, options)
        segments = [segment async for segment in self._segments(recording, samples)]
        return Transcript(
            task=options.task,
            language=recording.language or "en",
            duration=len(samples) / SAMPLE_RATE,
            segments=tuple(segments),
        )

    async def _segments(self, recording: Recording, samples: Samples) -> AsyncIterator[Segment]:
        if recording.options.strategy == "parallel":
            windows = await asyncio.to_thread(find_windows, samples, self.detector, recording)
            segments = parallel(recording, samples, windows)
        else:
            mel = await asyncio.to_thread(LogMel, samples, self.vocabulary.dims.n_mels)
            segments = sequential(recording, mel)
        async for segment in segments:
            yield segment

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
