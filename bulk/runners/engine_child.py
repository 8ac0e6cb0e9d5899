"""The engine's process, seen from within: answers the rows of a run, as they come."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, TypeVar

from bulk.engine import EngineFacts
from bulk.errors import INTERNAL, RowError
from bulk.runners.backend_engine import transcribed
from bulk.runners.messages import file_of, message_bytes, read_message, request_of
from client.backend.errors import ClientError, NoServiceError, RefusedOptionError, UsageError
from client.backend.protocol import Backend
from client.backend.request import Request

# The exit status of a process that can do nothing more.
UNUSABLE = 3

AnyBackend = TypeVar("AnyBackend", bound=Backend)
OpenBackend = Callable[[], AbstractAsyncContextManager[AnyBackend]]
Describe = Callable[[AnyBackend, Request], Awaitable[EngineFacts]]


def serve(descriptor: int, opened: OpenBackend[AnyBackend], describe: Describe[AnyBackend]) -> None:
    """Answer rows over the socket of this descriptor until the run closes it or has gone.

    `opened` gives the backend, and `describe` says what it is once it has been checked.
    """
    connection = socket.socket(fileno=descriptor)
    with suppress(ConnectionError):
        asyncio.run(_Child(opened, describe).serve(connection))
    # Threads of a model that is at work would keep a process whose run has gone.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class _Child(Generic[AnyBackend]):
    def __init__(self, opened: OpenBackend[AnyBackend], describe: Describe[AnyBackend]) -> None:
        self._opened, self._describe = opened, describe

    async def serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        first = await read_message(reader)
        if first is None:
            return
        request = request_of(first["request"])
        try:
            async with self._opened() as backend:
                await backend.check(request)
                facts = await self._describe(backend, request)
                said = {"model_tag": facts.model_tag, "in_flight": facts.in_flight}
                await _send(writer, message_bytes(said))
                await self._answer_all(backend, reader, writer)
        except ClientError as error:
            await _send(writer, message_bytes(_error_members(error)))

    async def _answer_all(
        self, backend: Backend, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        running = set[asyncio.Task[None]]()
        while (message := await read_message(reader)) is not None:
            task = asyncio.create_task(_answer(backend, message, writer))
            running.add(task)
            task.add_done_callback(running.discard)
        for task in running:
            task.cancel()


async def _answer(backend: Backend, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    number = message["number"]
    try:
        done = await transcribed(backend, file_of(message))
        answer = {"members": dict(done.members), "files": dict(done.files)}
        # Encoded here: what JSON does not have is an error of this row.
        encoded = message_bytes({"number": number, **answer})
    except NoServiceError as error:
        # Such as a device that is lost: another process may have it again.
        sys.stderr.write(f"the engine ends: {error}\n")
        sys.stderr.flush()
        os._exit(UNUSABLE)
    except (RowError, ClientError) as error:
        encoded = message_bytes({"number": number, **_error_members(error)})
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows go on
        failure = _error_members(RowError(INTERNAL, f"{type(error).__name__}: {error}"))
        encoded = message_bytes({"number": number, **failure})
    with suppress(ConnectionError):
        await _send(writer, encoded)


async def _send(writer: asyncio.StreamWriter, encoded: bytes) -> None:
    writer.write(encoded)
    await writer.drain()


def _error_members(error: RowError | ClientError) -> dict[str, Any]:
    match error:
        case RowError():
            kind, code = "row", error.code
        case RefusedOptionError():
            kind, code = "option", ""
        case NoServiceError():
            kind, code = "service", ""
        case UsageError():
            kind, code = "usage", ""
        case _:
            kind, code = "service", ""
    return {"error": kind, "code": code, "message": str(error)}
