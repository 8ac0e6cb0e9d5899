"""Observation of a live session: its stats and metrics, from its events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from api.realtime.live import Session
from api.request_context import RequestContext
from api.session_stats import SessionStats
from api.telemetry.realtime_meters import RealtimeMeters
from models.live.events import Committed, Completed, Delta, Failed, LiveEvent


class Observation:
    """Counts what a session comes to, for the checkpoint that hears it: the context's model."""

    def __init__(self, meters: RealtimeMeters, context: RequestContext) -> None:
        self._meters, self._context = meters, context
        self._stats = context.session = SessionStats()
        # The turns that wait for their text: who hears them, and when they were committed.
        self._committed: dict[int, tuple[str, float]] = {}

    def note(self, event: LiveEvent, live: Session, model: str | None) -> None:
        """Count an event, which was told while this checkpoint heard the session; None: nobody."""
        self._context.model = model or ""
        match event:
            case Committed(has_text=True):
                self._committed[event.turn] = self._context.model, time.monotonic()
            case Delta(lag=float(lag)):
                self._meters.word_lag.labels(self._model_of(event.turn)).observe(lag)
            case Completed() | Failed():
                self._end(event)
                self._note_audio(live)
        self._note_engine(live)

    @asynccontextmanager
    async def whole(self, live: Session) -> AsyncIterator[Session]:
        """A session that is closed with the block, and counted to its end."""
        try:
            async with aclosing(live):
                yield live
        finally:
            self._note_audio(live)
            self._note_engine(live)

    def _note_audio(self, live: Session) -> None:
        """Count the audio that has come since the last time."""
        self._meters.audio.labels(self._context.model).inc(live.seconds - self._stats.audio_seconds)
        self._stats.audio_seconds = live.seconds

    def _note_engine(self, live: Session) -> None:
        """Count what turns have taken of the engine since the last time, unfinished ones too."""
        for model, stats in live.take_stats().items():
            self._context.stats.add(stats)
            for name, stage in stats.stages.items():
                if stage.began is not None:
                    self._meters.stages.labels(model, name).inc(stage.seconds)

    def _end(self, event: Completed | Failed) -> None:
        self._stats.turns += 1
        model = self._model_of(event.turn)
        _, committed = self._committed.pop(event.turn, ("", None))
        outcome = "completed" if isinstance(event, Completed) else "failed"
        self._meters.turns.labels(model, outcome).inc()
        if committed is not None and outcome == "completed":
            self._meters.final.labels(model).observe(time.monotonic() - committed)

    def _model_of(self, turn: int) -> str:
        """Who hears a turn: an update after its commit is not about it."""
        model, _ = self._committed.get(turn, (self._context.model, 0.0))
        return model
