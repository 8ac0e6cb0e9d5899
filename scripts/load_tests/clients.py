"""Clients of a soak: one request after the other, some of them abandoned."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random

import httpx

from scripts.load_tests.client_calls import Audio, Call, Leaving, Moment, draw
from scripts.shared.http_load import Reader, answered, upload
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer, failed, read

LEFT = "left"
# Who leaves while waiting waits no longer than this.
_PATIENCE_SECONDS = 3.0
# Pieces of a stream at most that are read before leaving.
_MAX_PIECES = 4


class _Left(Exception):  # noqa: N818
    """The client goes away."""


@dataclass(frozen=True)
class Outcome:
    """A request and what came of it: an answer, or the status `left`."""

    call: Call
    answer: Answer


@dataclass
class Clients:
    """Clients of one server; what they see is in `outcomes`, in the order of its coming."""

    client: httpx.AsyncClient
    model: str
    audio: Audio
    outcomes: list[Outcome] = field(default_factory=list)

    async def run(self, count: int, seconds: float, seed: int) -> None:
        """Run `count` clients with choices of their own; none begins a request after `seconds`.

        One that is refused and told when to come again does so with the same request.
        """
        end = time.perf_counter() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._one(Random(f"{seed}, {number}"), end))  # noqa: S311

    async def _one(self, random: Random, end: float) -> None:
        while time.perf_counter() < end:
            call = draw(self.audio, random)
            wait = await self._send(call)
            while wait is not None and time.perf_counter() + wait < end:
                await asyncio.sleep(wait)
                wait = await self._send(call)

    async def _send(self, call: Call) -> int | None:
        due = time.perf_counter()
        request = await upload(
            self.client, self.model, call.clip, call.response_format, stream=call.stream
        )
        if call.leaving:
            answer = await _send_and_leave(self.client, request, call.clip, call.leaving, due)
        else:
            answer = await answered(self.client, request, call.clip, due)
        self.outcomes.append(Outcome(call, answer))
        return answer.wait


async def _send_and_leave(
    client: httpx.AsyncClient, request: httpx.Request, clip: Clip, leaving: Leaving, due: float
) -> Answer:
    """An answer that comes before the client goes away is an answer."""
    share = leaving.share
    try:
        match leaving.moment:
            case Moment.UPLOADING:
                return await answered(client, _breaking_off(client, request, share), clip, due)
            case Moment.WAITING:
                async with asyncio.timeout(share * _PATIENCE_SECONDS):
                    return await answered(client, request, clip, due)
            case Moment.STREAMING:
                return await answered(client, request, clip, due, _reader(share))
    except (_Left, TimeoutError):
        return failed(clip, LEFT, due)


def _breaking_off(client: httpx.AsyncClient, request: httpx.Request, share: float) -> httpx.Request:
    """A copy of the request whose body stops after a share of its bytes."""
    body = request.read()

    async def begin() -> AsyncIterator[bytes]:
        yield body[: int(len(body) * share)]
        raise _Left

    return client.build_request(
        request.method, request.url, headers=request.headers, content=begin()
    )


def _reader(share: float) -> Reader:
    """Reads a few pieces of a stream; all of what is none."""
    pieces = 1 + int(share * _MAX_PIECES)

    async def read_pieces(reply: httpx.Response, clip: Clip, due: float) -> Answer:
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            return await read(reply, clip, due)
        left = pieces
        async for _ in reply.aiter_raw():
            left -= 1
            if not left:
                break
        raise _Left

    return read_pieces
