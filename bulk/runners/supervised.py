"""A supervised engine: its process is started again when it ends, and killer files are found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bulk.engine import EngineFacts, RowFile, Transcribed
from bulk.errors import CRASHED, EngineDiedError, RowError
from bulk.inflight import Inflight
from bulk.runners.turns import Turns
from client.backend.errors import NoServiceError
from client.backend.request import Request

MAX_RESTARTS = 5


class EngineProcess(Protocol):
    """An engine's process that has started."""

    facts: EngineFacts

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more rows."""
        ...

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording.

        Raises:
            EngineDiedError: the process ended.
            RowError, RefusedOptionError, NoServiceError: as an engine's.
        """
        ...

    async def close(self) -> None:
        """End it."""
        ...


StartEngine = Callable[[Request], Awaitable[EngineProcess]]


class Supervised:
    """An engine in a process of its own.

    Rows that were at work when it ended are suspect: each is tried again alone. A row at which it
    ends once more has crashed, and the others go on. The process is started again `max_restarts`
    times at most; `restarted` is called each time.
    """

    def __init__(
        self,
        start: StartEngine,
        inflight: Inflight,
        restarted: Callable[[], None],
        max_restarts: int = MAX_RESTARTS,
    ) -> None:
        self._start, self._inflight, self._restarted = start, inflight, restarted
        self._left = max_restarts
        self._turns = Turns()
        self._starting = asyncio.Lock()
        self._process: EngineProcess | None = None
        self._request = Request()

    async def start(self, request: Request) -> EngineFacts:
        """Start the process; raises as an engine does."""
        self._request = request
        return (await self._running()).facts

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording; a killer file is a `RowError`."""
        if not self._inflight.is_suspect(row_file.row_id):
            try:
                async with self._turns.shared():
                    return await (await self._running()).transcribe(row_file)
            except EngineDiedError:
                self._inflight.suspect(row_file.row_id)
        async with self._turns.alone():
            process = await self._running()
            self._inflight.start_alone(row_file.row_id)
            try:
                return await process.transcribe(row_file)
            except EngineDiedError as error:
                raise RowError(CRASHED, f"the engine ended at it twice: {error}") from error

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._process.close()

    async def _running(self) -> EngineProcess:
        """The process, started anew if it has ended.

        Raises:
            NoServiceError: it cannot be started, or ended too often.
        """
        async with self._starting:
            while self._process is None or self._process.has_ended:
                if self._process is not None:
                    self._count_restart("it ended")
                try:
                    self._process = await self._start(self._request)
                except EngineDiedError as error:
                    self._count_restart(str(error))
            return self._process

    def _count_restart(self, reason: str) -> None:
        if not self._left:
            raise NoServiceError(
                f"the engine is not started again, as it has ended too often ({reason}): "
                "a second run goes on with what is left"
            )
        self._left -= 1
        self._restarted()
