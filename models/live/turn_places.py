"""Places of a turn in its session, of which silence may be left out."""

from __future__ import annotations


class TurnPlaces:
    """Samples of a turn -> samples of the session, which are `offset` further at its beginning."""

    def __init__(self, offset: int) -> None:
        self._offsets = [(0, offset)]

    def move(self, place: int, offset: int) -> None:
        """What comes behind this place of the turn is so much further in the session."""
        self._offsets.append((place, offset))

    def in_session(self, place: int) -> int:
        """Where the sound that ends at a place of the turn ends in the session."""
        before = [offset for start, offset in self._offsets if start < place]
        return place + (before or [self._offsets[0][1]])[-1]
