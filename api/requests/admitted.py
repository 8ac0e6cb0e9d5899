"""Admission of a request: its checkpoint, its ticket in the queue, its loaded model, its turn."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from api.request_context import RequestContext
from api.requests.model_registry import ModelRegistry, Transcriber
from models.audio.container.length import estimated_seconds
from models.audio_options import MIX, ReadOptions
from models.capacity.admission import Admission
from models.capacity.fair_queue import QueueEstimate, Ticket
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript


@dataclass(frozen=True)
class Admitted:
    """A request with a ticket and a loaded model; its work waits for its turn first."""

    ticket: Ticket
    transcriber: Transcriber
    stats: RequestStats
    admission: Admission

    def estimate(self) -> QueueEstimate:
        """What is before it in the queue now."""
        return self.admission.estimate_of(self.ticket)

    async def transcribe(
        self, audio: BinaryIO, options: TranscribeOptions, on_segment: OnSegment | None = None
    ) -> Transcript:
        """The transcript of `audio`; the ticket learns how long the recording was."""
        await self._wait()
        transcript = await self.transcriber.transcribe(audio, options, on_segment, self.stats)
        self.ticket.seconds = transcript.duration
        return transcript

    async def detect_language(
        self, audio: BinaryIO, among: Sequence[str] = (), reading: ReadOptions = MIX
    ) -> dict[str, float]:
        """The probability of each language, or of each of `among`; the most probable one first."""
        await self._wait()
        return await self.transcriber.detect_language(audio, among, self.stats, reading)

    async def _wait(self) -> None:
        self.stats.enter(None, "queue")
        try:
            await self.ticket.admitted
        finally:
            self.stats.enter("queue", None)


@asynccontextmanager
async def admit(
    registry: ModelRegistry,
    context: RequestContext,
    model_id: str,
    audio: BinaryIO,
    max_seconds: float = math.inf,
) -> AsyncIterator[Admitted]:
    """A request to work on `audio`, of which at most `max_seconds` are read.

    In this order: its checkpoint is found; it takes its ticket, which the work waits for; its
    model is loaded, if it has to be, and stays loaded until the end of the block. The model comes
    before the turn, so that
    - a model that cannot be loaded, or has no room, is refused at once and not after a wait;
    - no other request waits while one whose turn has come loads its model;
    - what has been accepted is answered: a model that left meanwhile would have to come back at
      the turn, where a load that takes longer than the pool waits, or that finds no room, would
      be a refusal after all.
    The price: an on-demand model that a waiting request needs keeps its memory while it waits. A
    request for another one, which has no room beside it, is refused with a time to come again.

    Raises:
        ModelNotFoundError: no such model.
        OverloadedError: the queue is full, or the model is loading or has no room.
        ModelLoadError: the model cannot be loaded.
    """
    context.model = name = registry.find(model_id).name
    seconds = min(estimated_seconds(audio), max_seconds)
    context.estimate = registry.admission.estimate(seconds, context.key_name)
    with registry.admission.ticket(seconds, context.key_name) as ticket:
        async with registry.pool.use(name) as transcriber:
            yield Admitted(ticket, transcriber, context.stats, registry.admission)
