"""The comparison: each call to both servers at once, and what differs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx

from cli.comparison.address import ComparisonError, Server
from cli.comparison.answer import Answer
from cli.comparison.calls import BASE, Call
from cli.comparison.client import Asking, answer, connected, hidden
from cli.comparison.difference import Difference
from cli.comparison.differences import differences

_KEY_REFUSED = (401, 403)


@dataclass(frozen=True)
class Compared:
    """A call, the status it had at each server, and what differs."""

    call: Call
    statuses: tuple[int, int]
    found: list[Difference]


async def compare(
    servers: tuple[Server, Server], calls: Sequence[Call], asking: Asking, tolerance: float
) -> AsyncIterator[Compared]:
    """What differs, call by call.

    Raises:
        ComparisonError: a server does not answer, or does not transcribe the recording at all.
    """
    here, against = servers
    async with connected(here) as ours, connected(against) as theirs:
        for call in calls:
            one, other = await _both((ours, theirs), servers, call, asking)
            if call is BASE:
                _check(here, one)
                _check(against, other)
            found = differences(call.kind, one, other, tolerance)
            yield Compared(call, (one.status, other.status), found)


async def _both(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
    servers: tuple[Server, Server],
    call: Call,
    asking: Asking,
) -> tuple[Answer, Answer]:
    """Both answers; when one server fails, the other is not waited for."""
    try:
        async with asyncio.TaskGroup() as group:
            ours, theirs = (
                group.create_task(answer(client, server, call, asking))
                for client, server in zip(clients, servers, strict=True)
            )
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return ours.result(), theirs.result()


def _check(server: Server, got: Answer) -> None:
    """That the server transcribes: of anything else nothing could be compared."""
    value = got.json
    if got.status == 200 and isinstance(value, dict) and isinstance(value.get("text"), str):
        return
    raise ComparisonError(f"{server} {_problem(server, got)}")


def _problem(server: Server, got: Answer) -> str:
    told = f"{got.status} {hidden(got.message, server)}".rstrip()
    if got.status in _KEY_REFUSED:
        wants = "does not take this key" if server.key else "asks for a key"
        return f"{wants}: {told}"
    if 300 <= got.status < 400:
        return f"leads elsewhere ({got.status}): give the address that it means"
    if got.media_type == "text/html":
        return f"answers with a web page ({got.status}): is this the base URL of an API?"
    if got.is_success:
        return f"answers with something else than a transcription ({got.status})"
    return f"does not transcribe this recording: {told}"
