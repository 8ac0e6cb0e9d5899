"""This project as a contestant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from models.engine.config import EngineConfig
from models.engine.start import start_engine
from models.options import TranscribeOptions
from models.transcriber import Transcriber
from scripts.bench.setup import Recording, Setup
from scripts.bench.weights import weights_of


class Ours:
    """`Transcriber` on an engine of its own, greedy and without fallback."""

    def __init__(self, setup: Setup) -> None:
        weights = weights_of(setup)
        config = EngineConfig(
            device=setup.device, dtype=setup.dtype, slots=setup.slots, threads=setup.threads
        )
        self.engine = start_engine(weights, config)
        self.transcriber = Transcriber(self.engine)
        self.setup = setup
        self.description = f"{self.engine.dtype}, {self.engine.scheduler.slots} slots"
        self.device = self.engine.device

    def transcribe(self, recordings: Sequence[Recording]) -> list[str]:
        """Their texts, `concurrency` recordings in flight at once."""
        return asyncio.run(self._transcribe_all(recordings))

    async def _transcribe_all(self, recordings: Sequence[Recording]) -> list[str]:
        free = asyncio.Semaphore(self.setup.concurrency)

        async def one(recording: Recording) -> str:
            async with free:
                with Path(recording.path).open("rb") as file:  # noqa: ASYNC230
                    transcript = await self.transcriber.transcribe(file, self._options(recording))
            return transcript.text

        return list(await asyncio.gather(*map(one, recordings)))

    def _options(self, recording: Recording) -> TranscribeOptions:
        return TranscribeOptions(
            language=recording.language, temperature=(0.0,), strategy=self.setup.strategy
        )
