"""Live sessions as the realtime API uses them: one speaker's audio in, events of turns out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from models.live.events import LiveEvent
from models.live.live_options import LiveOptions
from models.request_stats import RequestStats


class Session(Protocol):
    """One speaker's audio -> turns and their text (`models/live/live_session.py`)."""

    @property
    def seconds(self) -> float:
        """All audio that was ever appended."""
        ...

    def take_stats(self) -> Mapping[str, RequestStats]:
        """What turns have taken of the engine since the last call, by model."""
        ...

    def configure(self, options: LiveOptions) -> None:
        """Change the options; audio appended before is heard in the old format."""
        ...

    def append(self, audio: bytes) -> None:
        """Take audio, without waiting for anything."""
        ...

    async def room(self) -> None:
        """Return when there is room for more audio."""
        ...

    def commit(self) -> None:
        """End the turn.

        Raises:
            EmptyBufferError: there is too little audio, or no speech.
        """
        ...

    def clear(self) -> None:
        """Drop what is not committed."""
        ...

    def reply(self, reply: object) -> None:
        """Put a reply to the client behind the events so far, as `Reply`."""
        ...

    def events(self) -> AsyncIterator[LiveEvent]:
        """What happens, in the order in which the client is told."""
        ...

    async def finish(self) -> None:
        """Commit what is open, and return when all turns are over; `events` ends then."""
        ...

    async def aclose(self) -> None:
        """Cancel all work."""
        ...


OpenSession = Callable[[LiveOptions], Session]
