"""A running server as an engine: told apart are rows that fail, and a server that goes away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bulk.engine import EngineFacts, RowFile, Transcribed
from bulk.errors import RowError
from bulk.runners.backend_engine import transcribed
from client.backend.errors import (
    ClientError,
    NotConnectedError,
    TryAgainError,
    UnreachableError,
)
from client.backend.request import Request
from client.remote.remote import Remote
from client.remote.requests import Requests
from client.remote.server import Server

_DEFAULT = "whisper-1"


class ServerAwayError(Exception):
    """The server is not there any more.

    `is_sent`: it had the recording, which may be why it went.
    """

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class ServerEngine:
    """A server of OpenAI's API; it is waited for while it is busy, as long as it says.

    What fails on its way is not sent again here: it may be another server's turn.
    """

    def __init__(self, server: Server, in_flight: int, tell: Callable[[str], None]) -> None:
        self.server, self._in_flight = server, in_flight
        self._requests = Requests(server)
        self._backend = Remote(self._requests, tell)

    async def start(self, request: Request) -> EngineFacts:
        """Ask for the model.

        Raises:
            NoServiceError, UsageError: as a backend's `check`.
        """
        await self._backend.check(request)
        return EngineFacts(await self._model_tag(request.model), self._in_flight)

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording.

        Raises:
            ServerAwayError: the server is gone.
            RowError, RefusedOptionError, NoServiceError: as an engine's.
        """
        try:
            return await transcribed(self._backend, row_file)
        except RowError as error:
            if isinstance(cause := _lost(error), UnreachableError):
                is_sent = not isinstance(cause, NotConnectedError)
                raise ServerAwayError(str(error), is_sent=is_sent) from error
            raise

    async def close(self) -> None:
        """Close the connections."""
        await self._requests.__aexit__(None, None, None)

    async def _model_tag(self, model: str) -> str:
        """The model's name; of the default model its own, if the server tells it."""
        if model == _DEFAULT:
            with suppress(ClientError, ValueError):
                answer = (await self._requests.read("GET", self.server.beside("health"))).json()
                if isinstance(answer, dict):
                    return str(answer.get("default_model", model))
        return model


def _lost(error: BaseException) -> BaseException | None:
    """The lost connection by which the error came, if it did."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, TryAgainError):
        found = found.__cause__
    return found
