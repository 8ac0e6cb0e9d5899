"""The protocol of what shows how far recordings are."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from client.backend.events import Event
from client.backend.outcome import Outcome
from client.backend.request import Recording


class Display(Protocol):
    """Shows recordings while they are worked on; to be used as a context."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def start(self, recording: Recording) -> None:
        """A recording is begun with."""
        ...

    def follow(self, recording: Recording, event: Event) -> None:
        """Something of it is known."""
        ...

    def end(self, outcome: Outcome) -> None:
        """It came to this; some were never started."""
        ...

    def tell(self, line: str) -> None:
        """Say something beside."""
        ...
