"""Load generator for a transcription server: closed loop and open loop, streaming or not."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

import httpx

from scripts.shared.errors import BenchError
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer, failed, read

Reader = Callable[[httpx.Response, Clip, float], Awaitable[Answer]]

PATH = "/v1/audio/transcriptions"

_PAUSE_SECONDS = 1


@dataclass(frozen=True)
class Server:
    """Address and model of a server: `timeout` in seconds for one request."""

    url: str
    model: str
    api_key: str | None = None
    timeout: float = 600.0


@dataclass
class Load:
    """Sends clips and keeps the answers as they come."""

    client: httpx.AsyncClient
    model: str
    stream: bool = False
    answers: list[Answer] = field(default_factory=list)

    async def closed_loop(self, clips: Iterable[Clip], clients: int) -> None:
        """`clients` at once, each sending its next request when its last is answered.

        One that is refused waits for as long as it was told.
        """
        waiting = iter(clips)

        async def one_client() -> None:
            for clip in waiting:
                answer = await self._send(clip, time.perf_counter())
                await asyncio.sleep(answer.wait or 0)

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(one_client())

    async def open_loop(self, clips: Iterable[Clip], rate: float, seed: int = 0) -> None:
        """`rate` requests a second on average, Poisson, whether or not any is answered.

        A request's time begins when it is due, so that a slow sender hides no waiting.
        """
        gaps = random.Random(seed)  # noqa: S311
        due = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for clip in clips:
                due += gaps.expovariate(rate)
                await asyncio.sleep(due - time.perf_counter())
                group.create_task(self._send(clip, due))

    async def endlessly(self, clip: Clip) -> None:
        """One clip after the other until cancelled.

        After a refusal it waits for as long as it was told, after another failure for a second.
        """
        while True:
            answer = await self._send(clip, time.perf_counter())
            await asyncio.sleep(answer.wait or (0 if answer.is_good else _PAUSE_SECONDS))

    async def _send(self, clip: Clip, due: float) -> Answer:
        answer = await self.ask(clip, due)
        self.answers.append(answer)
        return answer

    async def ask(self, clip: Clip, due: float) -> Answer:
        """One request and what comes of it."""
        request = await upload(self.client, self.model, clip, stream=self.stream)
        return await answered(self.client, request, clip, due)


async def upload(
    client: httpx.AsyncClient,
    model: str,
    clip: Clip,
    response_format: str = "json",
    *,
    stream: bool = False,
) -> httpx.Request:
    """The request for a clip's transcript, with its file in memory."""
    form = {"model": model, "language": clip.language, "response_format": response_format}
    if stream:
        form["stream"] = "true"
    content = await asyncio.to_thread(clip.path.read_bytes)
    file = (clip.path.name, content, "application/octet-stream")
    return client.build_request("POST", PATH, data=form, files={"file": file})


async def answered(
    client: httpx.AsyncClient,
    request: httpx.Request,
    clip: Clip,
    due: float,
    reader: Reader = read,
) -> Answer:
    """Send it, and what comes of it; the client's time limit holds for all of it together."""
    try:
        async with asyncio.timeout(client.timeout.read):
            reply = await client.send(request, stream=True)
            try:
                return await reader(reply, clip, due)
            finally:
                await reply.aclose()
    except (httpx.TransportError, TimeoutError) as error:
        return failed(clip, type(error).__name__, due)


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this server without a limit of its own on connections."""
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, limits=unlimited, timeout=server.timeout
    ) as client:
        yield client


async def check(load: Load, clip: Clip) -> Answer:
    """One request before the measurement: does the server answer at all?

    Raises:
        BenchError: it does not.
    """
    answer = await load.ask(clip, time.perf_counter())
    if not answer.is_good:
        raise BenchError(f"{load.client.base_url}: {answer.status} {answer.text}".rstrip())
    return answer


def repeated(clips: Sequence[Clip], count: int) -> list[Clip]:
    """The first `count` clips of an endless cycle through them."""
    return list(islice(cycle(clips), count))
