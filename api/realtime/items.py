"""Items of a session: the ids of its turns, and the order in which they are committed."""

from __future__ import annotations

import uuid


def new_id(prefix: str) -> str:
    """An id that nothing else has."""
    return f"{prefix}_{uuid.uuid4().hex}"


class Items:
    """The turns of a session by their numbers; those that are over are forgotten."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._committed: set[int] = set()
        self._last: str | None = None

    def id_of(self, turn: int) -> str:
        """The item's id, from the first event about a turn on."""
        if turn not in self._ids:
            self._ids[turn] = new_id("item")
        return self._ids[turn]

    def commit(self, turn: int) -> str | None:
        """Note a commit; the id of the item that was committed before, None for the first.

        Turns are numbered as they begin: an older one that is not committed never will be.
        """
        before, self._last = self._last, self.id_of(turn)
        self._committed.add(turn)
        dropped = [each for each in self._ids if each < turn and each not in self._committed]
        for each in dropped:
            del self._ids[each]
        return before

    def end(self, turn: int) -> None:
        """Forget a turn of which nothing more is told."""
        self._ids.pop(turn, None)
        self._committed.discard(turn)
