"""One speaker's session: audio in -> turns, and their text, as events in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping

from models.errors import EmptyBufferError
from models.live.ears import Ears, hearing_threads
from models.live.event_queue import EventQueue
from models.live.events import Cleared, LiveEvent, Reply
from models.live.live_options import LiveOptions
from models.live.recognizer import Recognizers
from models.live.session_turns import SessionTurns
from models.live.turn_tasks import Clock
from models.request_stats import RequestStats

# The shortest buffer that can be committed, in seconds.
_SHORTEST = 0.1
# Seconds of sound that may wait to be heard until `room` makes the sender wait.
_MAX_PENDING = 1.0

logger = logging.getLogger(__name__)


class LiveSession:
    """One speaker's audio -> turns and their text.

    It belongs to one event loop; nothing but `events`, `room`, `finish` and `aclose` waits. Turns
    are numbered 0, 1, 2 ... in the order of their beginning; one that is cleared is never
    completed, and its number is not used again. A session has its model while it has a turn.
    `clock` is what the engine's time is measured by.
    """

    def __init__(
        self, recognizers: Recognizers, options: LiveOptions, *, clock: Clock = time.monotonic
    ) -> None:
        self._options = options
        self._ears = Ears(options.format)
        self._events = EventQueue()
        self._turns = SessionTurns(recognizers, options, self._events, clock, lambda: self.seconds)
        self._appended = asyncio.Event()
        self._is_finished = False
        self._listening = asyncio.create_task(self._listen())

    @property
    def seconds(self) -> float:
        """Seconds of audio that have been appended."""
        return self._ears.seconds

    @property
    def turns(self) -> int:
        """Turns that have begun so far."""
        return self._turns.count

    def take_stats(self) -> Mapping[str, RequestStats]:
        """What turns have taken of the engine since the last call, by model."""
        return self._turns.running.stats.take()

    def configure(self, options: LiveOptions) -> None:
        """Take these options for what comes.

        Audio appended before is heard in its own format, and an open turn keeps its model, or
        stays without one. Where turns are detected from now on, an open one is told.
        """
        self._hear_all()
        self._ears.configure(options.format)
        self._turns.configure(options)
        self._options = options

    def append(self, audio: bytes) -> None:
        """More audio in the session's format, of any number of bytes."""
        if not self._is_finished:
            self._ears.append(audio)
            self._appended.set()

    def commit(self) -> None:
        """End the turn here: what was appended since the last one is transcribed.

        Raises:
            EmptyBufferError: it is less than 100 ms; or turns are detected, and nobody speaks.
        """
        seconds = self.seconds - self._turns.mark
        if round(seconds, 6) < _SHORTEST:
            raise EmptyBufferError(
                f"The buffer has {1000 * seconds:.2f} ms of audio: at least 100 ms are needed."
            )
        self._hear_all()
        if self._turns.open is None and self._options.turn_detection:
            raise EmptyBufferError("The buffer has no speech.")
        self._turns.commit(self.seconds)

    def clear(self) -> None:
        """Drop what has not been committed; committed turns go on."""
        self._hear_all()
        self._turns.clear(self.seconds)
        self._events.put(Cleared())

    def reply(self, reply: object) -> None:
        """Put a reply of the protocol behind the events so far, and ahead of all to come."""
        self._events.put(Reply(reply))

    def events(self) -> AsyncIterator[LiveEvent]:
        """Events in the order in which a client is to be told; they end with the session.

        Raises:
            DecodingError: the session has failed, behind its last event.
        """
        return self._events.read()

    async def room(self) -> None:
        """Return when more audio may be appended: at once, unless it comes faster than it is heard.

        So a client that sends faster than real time is slowed down, and memory stays bounded.
        """
        while not (self._is_finished or self._has_room()):
            self._events.progress.clear()
            await self._events.progress.wait()

    async def finish(self) -> None:
        """Commit what is open, if anybody speaks in it; return when all turns are completed.

        If it is cancelled, the session is closed.
        """
        self._is_finished = True
        try:
            await self._heard()
            self._hear_all()
            if self._turns.open is not None:
                self._turns.commit(self.seconds)
            await self._turns.running.over()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Cancel everything: windows leave the engine before its next step.

        Committed turns that have no text yet have failed.
        """
        self._is_finished = True
        # All of it before anything is waited for: who waits may be cancelled.
        self._listening.cancel()
        self._turns.running.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._turns.running.aclose(self._turns.open)
        self._events.end()

    async def _listen(self) -> None:
        """Hear until the session is over; a failure ends it."""
        try:
            await self._hear()
        except Exception:
            logger.exception("a live session failed")
            self._is_finished = True
            self._events.end(has_failed=True)

    async def _hear(self) -> None:
        """Hear what is appended, in batches, in a thread."""
        loop = asyncio.get_running_loop()
        while True:
            await self._appended.wait()
            if not self.has_batch:
                self._appended.clear()
                continue
            await loop.run_in_executor(hearing_threads(), self._ears.hear)
            self._turns.take(self._ears.take())
            self._events.progress.set()

    async def _heard(self) -> None:
        """Return when no more is left than may be heard at once, in the loop's own thread."""
        while self._ears.pending > _MAX_PENDING and not self._listening.done():
            self._events.progress.clear()
            await self._events.progress.wait()

    def _hear_all(self) -> None:
        self._turns.take(self._ears.drain())

    @property
    def has_batch(self) -> bool:
        """True if there is enough sound for the detector."""
        return self._ears.audible >= self._turns.batch

    def _has_room(self) -> bool:
        is_behind = self._ears.pending > _MAX_PENDING or self._turns.is_behind
        return not (is_behind or self._events.is_full)
