"""Places of live sessions: a limit for all, and a fair part of it for each key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import OverloadedError

# Sessions end by themselves: soon one may have.
RETRY_SECONDS = 10


class SessionPlaces:
    """At most `limit` sessions at once, as `Admission` has its queue for recordings.

    What a key holds already must fit into what is left once more: so a key alone gets half of the
    places, several get equal parts, and always one is left for the next. Without keys, anybody may
    fill them.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Sessions that are open."""
        return self._held.total()

    @contextmanager
    def place(self, key: str = "") -> Iterator[None]:
        """A place until the end of the block.

        Raises:
            OverloadedError: there is none, or none for this key.
        """
        again = self._held[key] if key else 0
        if 1 + again > self.limit - self.taken:
            message = "The server has as many live sessions as it takes. Try again later."
            raise OverloadedError(message, RETRY_SECONDS)
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
