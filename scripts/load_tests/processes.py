"""Resource use of a server, all its processes together: memory, descriptors, threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from scripts.shared.errors import BenchError

_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Use:
    """Resources that a server's processes hold at a time of `time.perf_counter`.

    `memory` is resident, in bytes; what two processes share is counted twice.
    """

    at: float
    memory: int
    descriptors: int
    threads: int
    processes: int


def server_process(url: str, pid: int | None) -> psutil.Process:
    """The first process of a server: the one given, or the one that listens at its port.

    Raises:
        BenchError: there is none, or it cannot be looked at.
    """
    try:
        return psutil.Process(_listener(url) if pid is None else pid)
    except psutil.Error as error:
        raise BenchError(f"the server's process cannot be followed: {error}") from error


def children_of(server: psutil.Process) -> list[psutil.Process]:
    """A server's processes but the first.

    Raises:
        BenchError: it has ended, or is somebody else's.
    """
    try:
        return list(server.children(recursive=True))
    except psutil.Error as error:
        raise BenchError(f"the server's process cannot be followed: {error}") from error


def use_of(server: psutil.Process) -> Use:
    """Resources that a server and its children hold now.

    Raises:
        BenchError: it has ended, or is somebody else's.
    """
    held = []
    try:
        for process in [server, *server.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess), process.oneshot():  # a child may end at any time
                held.append((process.memory_info().rss, process.num_fds(), process.num_threads()))
    except psutil.Error as error:
        raise BenchError(f"the server's process cannot be followed: {error}") from error
    if not held:
        raise BenchError(f"the server's process {server.pid} has ended")
    memory, descriptors, threads = map(sum, zip(*held, strict=True))
    return Use(time.perf_counter(), memory, descriptors, threads, len(held))


@asynccontextmanager
async def followed(server: psutil.Process) -> AsyncIterator[list[Use]]:
    """Samples of what a server holds, every second as long as the block runs.

    Raises:
        BenchError: it has ended, and with it the block.
    """
    uses: list[Use] = []

    async def follow() -> None:
        while True:
            uses.append(use_of(server))
            await asyncio.sleep(_EVERY_SECONDS)

    try:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow())
            yield uses
            following.cancel()
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _listener(url: str) -> int:
    """The process at this address; of several that share the socket, the parent of the others."""
    listening = ("LISTEN", urlsplit(url).port)
    parents: dict[int, int] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended, or is somebody else's
            sockets = process.net_connections("tcp")
            if any((socket.status, socket.laddr.port) == listening for socket in sockets):
                parents[process.pid] = process.ppid()
    first = [pid for pid, parent in parents.items() if parent not in parents]
    if len(first) != 1:
        raise BenchError(f"no one process of this machine listens at {url}: give its --pid")
    return first[0]
