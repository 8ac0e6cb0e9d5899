"""Order of events: a turn's text is not told before the turn ahead is completed or has failed."""

from __future__ import annotations

from models.live.events import Completed, Delta, Failed, LiveEvent, OpenText


class EventOrder:
    """Holds back the events of turns whose time has not come."""

    def __init__(self) -> None:
        self._held: dict[int, list[LiveEvent]] = {}

    @property
    def unfinished(self) -> int:
        """Turns that have begun, and are neither completed nor dropped."""
        return len(self._held)

    @property
    def turns(self) -> list[int]:
        """Those turns, in the order of their beginning."""
        return list(self._held)

    def begin(self, turn: int) -> None:
        """A turn that will have text, behind those that have begun before it."""
        self._held[turn] = []

    def drop(self, turn: int) -> list[LiveEvent]:
        """A turn that will have none after all; what need not wait any more."""
        self._held.pop(turn, None)
        return self._released()

    def put(self, event: LiveEvent) -> list[LiveEvent]:
        """The events to tell now that this one has come."""
        if not isinstance(event, Delta | OpenText | Completed | Failed):
            return [event]
        if event.turn not in self._held:
            return []
        held = self._held[event.turn]
        if isinstance(event, OpenText):
            held[:] = [each for each in held if not isinstance(each, OpenText)]
        held.append(event)
        return self._released()

    def _released(self) -> list[LiveEvent]:
        released: list[LiveEvent] = []
        for turn, held in list(self._held.items()):
            released += held
            is_over = bool(held) and isinstance(held[-1], Completed | Failed)
            held.clear()
            if not is_over:
                break
            del self._held[turn]
        return released
