"""This project as a competitor of a benchmark."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from models.engine.cpu.threads import cores, in_passing, take_cores
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.options import TranscribeOptions
from models.text.transcript import Transcript
from models.transcription.transcriber import Transcriber
from scripts.bench.peer_files.weights import weights_of
from scripts.shared.run_config import Recording, RunConfig

S = TypeVar("S")
T = TypeVar("T")


class Ours:
    """`Transcriber` on an engine of its own, greedy and without fallback."""

    def __init__(self, setup: RunConfig) -> None:
        threads = setup.threads or cores()
        take_cores(1)  # as in a server
        config = EngineConfig(
            device=setup.device, dtype=setup.dtype, slots=setup.slots, threads=threads
        )
        self.engine = in_passing(threads, lambda: start_engine(weights_of(setup), config))
        self.transcriber = Transcriber(self.engine)
        self.setup = setup
        self.description = f"{self.engine.dtype}, {self.engine.scheduler.slots} slots"
        self.device = self.engine.device

    def transcribe(self, recordings: Sequence[Recording]) -> list[str]:
        """Their texts, `concurrency` recordings in flight at once."""
        return asyncio.run(self.each(recordings, self._text))

    async def each(self, items: Sequence[S], work: Callable[[S], Awaitable[T]]) -> list[T]:
        """Results of the work on each item, `concurrency` of them in flight at once."""
        free = asyncio.Semaphore(self.setup.concurrency)

        async def one(item: S) -> T:
            async with free:
                return await work(item)

        return list(await asyncio.gather(*map(one, items)))

    async def transcript(self, path: Path, options: TranscribeOptions) -> Transcript:
        """The transcript of one file."""
        with path.open("rb") as file:
            return await self.transcriber.transcribe(file, options)

    def close(self) -> None:
        """Stop the engine."""
        self.transcriber.close()

    async def _text(self, recording: Recording) -> str:
        options = TranscribeOptions(
            language=recording.language, temperature=(0.0,), strategy=self.setup.strategy
        )
        return (await self.transcript(Path(recording.path), options)).text
