"""The engine's process, seen from the run: started, given rows, and known to have ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from bulk.engine import EngineFacts, RowFile, Transcribed
from bulk.errors import EngineDiedError, RowError
from bulk.runners.messages import file_message, message_bytes, read_message, request_members
from client.backend.errors import ClientError, NoServiceError, RefusedOptionError, UsageError
from client.backend.request import Request

# A process that has closed its socket is about to end.
_END_SECONDS = 10.0
# What is printed there is for people; standard output is for the run's summary.
_STDERR = 2


class ChildEngine:
    """A process that serves rows over a socket (`engine_child`); made by `start_child`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._end: str | None = None
        self._reading: asyncio.Task[None] | None = None
        self.facts = EngineFacts("", 1)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more rows."""
        return self._end is not None

    async def greet(self, request: Request) -> None:
        """Wait until it is ready.

        Raises:
            EngineDiedError: it ended meanwhile.
            ClientError: it cannot serve such requests.
        """
        self._writer.write(message_bytes({"request": request_members(request)}))
        answer = await read_message(self._reader)
        if answer is None:
            raise EngineDiedError(await self._how_it_ended())
        if "error" in answer:
            raise _error_of(answer)
        self.facts = EngineFacts(answer["model_tag"], answer["in_flight"])
        self._reading = asyncio.create_task(self._read())

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording; raises as `EngineProcess` says."""
        if self._end is not None:
            raise EngineDiedError(self._end)
        number = next(self._numbers)
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(message_bytes(file_message(number, row_file)))
            with suppress(ConnectionError):
                await self._writer.drain()
            answer = await answered
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise _error_of(answer)
        return Transcribed(answer["members"], answer["files"])

    async def close(self) -> None:
        """End it; work that it has is given up."""
        await self._how_it_ended()
        if self._reading is not None:
            await self._reading

    def kill(self) -> None:
        """End it at once, with the processes that it has started in its session."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _read(self) -> None:
        try:
            while (answer := await read_message(self._reader)) is not None:
                waiting = self._waiting.get(answer["number"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except (ValueError, KeyError, TypeError, RecursionError):
            # Which row it is about is not known: all of them are tried again in a new process.
            self.kill()
        self._end = await self._how_it_ended()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(EngineDiedError(self._end))

    async def _how_it_ended(self) -> str:
        """The reason, once it has ended: without its socket it does."""
        self._writer.close()
        try:
            status = await asyncio.wait_for(self._process.wait(), _END_SECONDS)
        except TimeoutError:
            self.kill()
            status = await self._process.wait()
        if status < 0:
            with suppress(ValueError):
                return f"its process was ended by {signal.Signals(-status).name}"
        return f"its process ended with status {status}"


async def start_child(
    command: Sequence[str], request: Request, environ: Mapping[str, str] = os.environ
) -> ChildEngine:
    """Start an engine: `command` is given the descriptor of its socket as the last argument.

    It is in a session of its own, so that Ctrl-C reaches the run alone. When the run is killed the
    socket is closed, and the process ends.

    Raises:
        EngineDiedError, ClientError: as `greet`.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=_STDERR,
            env=environ,
            start_new_session=True,
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    engine = ChildEngine(process, reader, writer)
    try:
        await engine.greet(request)
    except BaseException:
        # One that is being loaded hears nothing until it has been.
        engine.kill()
        await engine.close()
        raise
    return engine


def _error_of(answer: Mapping[str, Any]) -> RowError | ClientError:
    message = str(answer["message"])
    match answer["error"]:
        case "row":
            return RowError(str(answer["code"]), message)
        case "option":
            return RefusedOptionError(message)
        case "usage":
            return UsageError(message)
    return NoServiceError(message)
