"""Queue of a live session's events: put by its turns in any order, read in the client's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from models.errors import DecodingError
from models.live.event_order import EventOrder
from models.live.events import LiveEvent

# Events that may wait to be read, and turns that may wait for their text, until it is full.
_MAX_EVENTS, _MAX_UNFINISHED = 256, 8


class EventQueue:
    """Events of one session, unbounded: `is_full` is for whoever sends it sound.

    `progress` is set by all that may make room: events that are put or read, turns that drop sound
    or are over, and the end.
    """

    def __init__(self) -> None:
        self.progress = asyncio.Event()
        self._order = EventOrder()
        self._queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue()
        self._has_failed = False

    @property
    def is_full(self) -> bool:
        """True if the sender has to wait."""
        return self._queue.qsize() > _MAX_EVENTS or self._order.unfinished > _MAX_UNFINISHED

    @property
    def turns(self) -> list[int]:
        """Turns that will have text, and are neither completed nor dropped, in their order."""
        return self._order.turns

    def begin(self, turn: int) -> None:
        """A turn that will have text, behind those that have begun before it."""
        self._order.begin(turn)

    def drop(self, turn: int) -> None:
        """A turn that will have none after all."""
        self._put(self._order.drop(turn))

    def put(self, event: LiveEvent) -> None:
        """One more; text of a turn waits until the turns ahead are over."""
        self._put(self._order.put(event))

    def end(self, *, has_failed: bool = False) -> None:
        """Nothing more is to be read."""
        self._has_failed = self._has_failed or has_failed
        self._queue.put_nowait(None)
        self.progress.set()

    async def read(self) -> AsyncIterator[LiveEvent]:
        """Events in the order in which a client is to be told, up to the end.

        Raises:
            DecodingError: the session has failed, behind its last event.
        """
        while (event := await self._queue.get()) is not None:
            self.progress.set()
            yield event
        if self._has_failed:
            raise DecodingError("The session's audio could not be heard.")

    def _put(self, events: list[LiveEvent]) -> None:
        for event in events:
            self._queue.put_nowait(event)
        self.progress.set()
