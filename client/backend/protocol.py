"""The protocol of whatever transcribes: a server, or models in this process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from client.backend.events import Event
from client.backend.request import Format, Recording, Request
from client.backend.transcript import Transcript


class Backend(Protocol):
    """Transcribes recordings, any number of them at once."""

    async def check(self, request: Request) -> None:
        """Find out whether such requests can be served, before the first one.

        Raises:
            NoServiceError: nothing can be done.
            UsageError: something that is asked for cannot be had.
        """
        ...

    def transcribe(self, recording: Recording, request: Request) -> AsyncGenerator[Event, None]:
        """The events of a recording; the last one is `Finished`.

        Raises:
            RecordingError: the recording cannot be transcribed.
            NoServiceError, RefusedOptionError: nor can any other.
        """
        ...

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The file of this format.

        Raises:
            RecordingError: it cannot be made.
        """
        ...


# Called with a line that a user should know.
Tell = Callable[[str], None]
# A backend that is there within a block.
OpenBackend = Callable[[Tell], AbstractAsyncContextManager[Backend]]


class OpenLocal(Protocol):
    """Opens the backend of the models in this process."""

    def __call__(
        self, tell: Tell, *, retries: int, wait_seconds: float | None
    ) -> AbstractAsyncContextManager[Backend]:
        """The backend; what fails and is not the recording's fault is tried `retries` times more.

        A device that is busy is waited for `wait_seconds`, without end if None. Nothing is loaded
        before it is needed.

        Raises:
            UsageError: the settings are malformed.
        """
        ...
