"""Requests to a transcription server: closed loop and open loop, with or without streaming."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice

import httpx

from scripts.bench.errors import BenchError
from scripts.bench.manifest import Clip

PATH = "/v1/audio/transcriptions"


@dataclass(frozen=True)
class Server:
    """Where to send what: `timeout` in seconds for one request."""

    url: str
    model: str
    api_key: str | None = None
    timeout: float = 600.0


@dataclass(frozen=True)
class Answer:
    """What came of one request; seconds since it was due.

    `status` is the HTTP status, or what kept the answer from coming. `first_segment` is there
    only where the answer was streamed.
    """

    clip: Clip
    status: str
    seconds: float
    text: str = ""
    first_segment: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether it has a transcript."""
        return self.status == "200"


@dataclass
class Load:
    """Sends clips and keeps the answers as they come."""

    client: httpx.AsyncClient
    model: str
    stream: bool = False
    answers: list[Answer] = field(default_factory=list)

    async def closed_loop(self, clips: Sequence[Clip], clients: int) -> None:
        """`clients` at once, each sending its next request when its last is answered."""
        waiting = iter(clips)

        async def one_client() -> None:
            for clip in waiting:
                await self._send(clip, time.perf_counter())

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(one_client())

    async def open_loop(self, clips: Sequence[Clip], rate: float, seed: int = 0) -> None:
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
        """One clip after the other until cancelled."""
        while True:
            await self._send(clip, time.perf_counter())

    async def _send(self, clip: Clip, due: float) -> None:
        self.answers.append(await self.ask(clip, due))

    async def ask(self, clip: Clip, due: float) -> Answer:
        """One request and what comes of it."""
        form = {"model": self.model, "language": clip.language, "response_format": "json"}
        if self.stream:
            form["stream"] = "true"
        content = await asyncio.to_thread(clip.path.read_bytes)
        file = (clip.path.name, content, "application/octet-stream")
        try:
            async with self.client.stream("POST", PATH, data=form, files={"file": file}) as reply:
                return await _read(reply, clip, due)
        except httpx.TransportError as error:
            return Answer(clip, type(error).__name__, time.perf_counter() - due)


async def _read(reply: httpx.Response, clip: Clip, due: float) -> Answer:
    status, first = str(reply.status_code), None
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        text, ended = "", False
        async for event in _events(reply):
            if event.get("type") == "transcript.text.delta" and first is None:
                first = time.perf_counter() - due
            if event.get("type") == "transcript.text.done":
                text, ended = str(event.get("text", "")), True
        status = status if ended else "stream broke off"
        return Answer(clip, status, time.perf_counter() - due, text, first)
    body = await reply.aread()
    return Answer(clip, status, time.perf_counter() - due, _text(body, good=reply.is_success))


async def _events(reply: httpx.Response) -> AsyncIterator[dict[str, object]]:
    async for line in reply.aiter_lines():
        with suppress(ValueError):  # comments, and OpenAI's older `[DONE]`
            if line.startswith("data:"):
                event = json.loads(line.removeprefix("data:"))
                if isinstance(event, dict):
                    yield event


def _text(body: bytes, *, good: bool) -> str:
    """The transcript in an answer, or the message in an error."""
    try:
        content = json.loads(body)
    except ValueError:
        return body.decode(errors="replace").strip()[:200]
    if isinstance(content, dict):
        error = content.get("error")
        if good:
            return str(content.get("text", ""))
        if isinstance(error, dict):
            return str(error.get("message", ""))
    return str(content)[:200]


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
    """So many requests, through the clips again and again."""
    return list(islice(cycle(clips), count))
