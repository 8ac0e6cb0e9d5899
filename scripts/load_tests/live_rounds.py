"""Rounds of a live load test: phases of speakers and of what there is beside them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import httpx

from scripts.load_tests.live_phases import (
    LivePhase,
    as_right,
    as_soon,
    file_as_soon,
    file_share,
    overloaded,
)
from scripts.load_tests.live_speakers import Told, burst, speakers
from scripts.load_tests.thresholds import Threshold
from scripts.shared.http_load import Load, Server, check
from scripts.shared.manifest import Clip
from scripts.shared.replies import Answer

# So many speakers beside a short file, which is asked for every few seconds.
_BESIDE_FILE, _FILE_APART = 4, 2.0
# Who ask for one file after the other where there are too many speakers.
_FILE_CLIENTS = 2
_BURST_APART = 20.0

Round = tuple[list[LivePhase], list[Threshold]]


@dataclass(frozen=True)
class Files:
    """Recordings made of clips: an hour, what is pushed at once, and a few seconds."""

    long: Clip
    pushed: Clip
    short: Clip


@dataclass(frozen=True)
class Place:
    """A server and its client, the clips that are said, and the seconds of a phase."""

    server: Server
    client: httpx.AsyncClient
    clips: Sequence[Clip]
    seconds: float

    async def said(self, number: int, seconds: float | None = None) -> Told:
        """What so many speakers were told."""
        return await speakers(self.server, self.clips, number, seconds or self.seconds)

    def load(self) -> Load:
        """Requests with files."""
        return Load(self.client, self.server.model)


async def one_speaker(place: Place, files: Files) -> Round:
    """One speaker alone, beside a long file, and beside clients that push much at once."""
    with _phase("alone") as alone:
        alone.told = await place.said(1)
    with _phase("beside a long file") as by_file:
        load = place.load()
        async with _beside(load.endlessly(files.long)):
            by_file.told = await place.said(1)
        # A refusal among them is a failure: then there was no file beside the speaker.
        by_file.files = load.answers
    with _phase("beside bursts") as by_bursts:
        async with _bursts(place, files.pushed) as pushed:
            by_bursts.told = await place.said(1)
    with _phase("bursts") as bursts:
        bursts.told = pushed
    with _phase("as a file") as file:
        file.files = [await check(place.load(), files.pushed)]
    thresholds = [
        *as_soon(alone, by_file),
        *as_soon(alone, by_bursts),
        as_right(file, bursts),
    ]
    return [alone, by_file, by_bursts, bursts, file], thresholds


async def short_file(place: Place, files: Files) -> Round:
    """A short file alone, and beside speakers."""
    with _phase("short files") as alone:
        alone.files = await _short_files(place.load(), files.short, place.seconds / 4)
    with _phase(f"and {_BESIDE_FILE} speakers") as beside:
        talking = asyncio.create_task(place.said(_BESIDE_FILE))
        beside.files = await _short_files(place.load(), files.short, place.seconds)
        beside.told = await talking
    return [alone, beside], [file_as_soon(alone, beside)]


async def too_many(place: Place, number: int, seconds: float) -> Round:
    """As many speakers as can be served, and twice as many; files alone, and beside those."""
    with _phase(f"{number} speakers") as capacity:
        capacity.told = await place.said(number)
    with _phase(f"{2 * number} speakers") as many:
        many.told = await place.said(2 * number, seconds)
    with _phase("files") as files:
        async with _files(place) as answers:
            await asyncio.sleep(place.seconds / 4)
        files.files = answers
    with _phase(f"{2 * number} speakers and files") as both:
        async with _files(place) as answers:
            both.told = await place.said(2 * number, seconds)
        both.files = answers
    phases = [capacity, many, files, both]
    return phases, [*overloaded(capacity, many), file_share(files, both)]


@contextmanager
def _phase(name: str) -> Iterator[LivePhase]:
    """A phase that ends with the block."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    phase = LivePhase(name, time.perf_counter())
    yield phase
    phase.end = time.perf_counter()


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on as long as the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _bursts(place: Place, pushed: Clip) -> AsyncIterator[Told]:
    """Bursts, some time apart, as long as the block; the last one is let come to its end."""
    told, end = Told(), asyncio.Event()

    async def push() -> None:
        while not end.is_set():
            told.add(await burst(place.server, pushed))
            await asyncio.wait([asyncio.create_task(end.wait())], timeout=_BURST_APART)

    async with asyncio.TaskGroup() as group:
        group.create_task(push())
        yield told
        end.set()


async def _short_files(load: Load, short: Clip, seconds: float) -> list[Answer]:
    """The answers to a short file that is asked for every few seconds."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        load.answers.append(await load.ask(short, time.perf_counter()))
        await asyncio.sleep(_FILE_APART)
    return load.answers


@asynccontextmanager
async def _files(place: Place) -> AsyncIterator[list[Answer]]:
    """The answers to clips as files, by a few clients who ask as long as the block."""
    load = place.load()
    async with _beside(load.closed_loop(cycle(place.clips), _FILE_CLIENTS)):
        yield load.answers
