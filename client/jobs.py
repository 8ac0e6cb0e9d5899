"""The command `jobs`: background jobs of a server, and their results."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from client.asked import layout_of
from client.backend.errors import RecordingError
from client.backend.protocol import Tell
from client.backend.request import DEFAULT_MODEL, Recording, Request
from client.batch import Work, reason_of
from client.connecting import server_of
from client.files.outputs import Outputs
from client.remote.job_results import JobResults
from client.remote.jobs import Job, Jobs
from client.remote.model import ask_for_model
from client.remote.remote import Remote
from client.remote.requests import Requests
from client.remote.server import Server
from client.run import Run
from client.terminal.plain_lines import print_error
from client.terminal.wording import clock, shown
from client.transcribe import asked_formats, destination, each_of

_TIMES = ("created_at", "completed_at", "expires_at")


def jobs(action: str, given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do one of `list`, `show`, `wait`, `cancel`, `rm`; returns the exit status: 1 for a failure.

    Raises:
        UsageError, NoServiceError: nothing can be done.
    """
    server = server_of(given, environ)
    match action:
        case "list":
            return asyncio.run(_list(server, given))
        case "wait":
            return _wait(server, given, environ)
        case "show":
            return asyncio.run(_of_each(server, given.files, _show(given)))
        case "cancel":
            return asyncio.run(_of_each(server, given.files, Jobs.cancel))
        case _:
            return asyncio.run(_of_each(server, given.files, Jobs.remove))


async def _list(server: Server, given: argparse.Namespace) -> int:
    async with _connected(server) as found:
        try:
            async for job in found.newest(given.limit, given.status):
                print(json.dumps(job.members) if given.json_lines else _row(job), flush=True)
        except RecordingError as error:
            print_error(sys.stderr, f"error: {shown(str(error))}")
            return 1
    return 0


async def _of_each(
    server: Server, ids: Sequence[str], work: Callable[[Jobs, str], Awaitable[None]]
) -> int:
    status = 0
    async with _connected(server) as found:
        for job_id in ids:
            try:
                await work(found, job_id)
            except RecordingError as error:
                status = 1
                print_error(sys.stderr, f"error: {shown(job_id)}: {shown(reason_of(error))}")
    return status


@asynccontextmanager
async def _connected(server: Server) -> AsyncIterator[Jobs]:
    """The jobs of a server that answers, and takes the key; raises `NoServiceError`."""
    async with Requests(server) as requests:
        await ask_for_model(requests, DEFAULT_MODEL, _say)
        yield Jobs(requests)


def _show(given: argparse.Namespace) -> Callable[[Jobs, str], Awaitable[None]]:
    async def show(jobs: Jobs, job_id: str) -> None:
        job = await jobs.get(job_id)
        if given.json_lines:
            print(json.dumps(job.members), flush=True)
        else:
            print("\n".join(_lines(job)), flush=True)

    return show


def _wait(server: Server, given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """The results of jobs, as `transcribe` gives those of recordings."""
    recordings = asyncio.run(_recordings(server, given.files))
    printed, formats = destination(given, recordings)
    outputs = Outputs(formats, given.output_dir or Path())
    outputs.know(recordings)
    outputs.check(recordings)
    request = Request(
        formats=asked_formats(printed, formats),
        has_words=given.word_timestamps,
        layout=layout_of(given),
    )

    @asynccontextmanager
    async def opened(tell: Tell) -> AsyncIterator[JobResults]:
        # The server may be started again meanwhile: jobs outlive that.
        async with Requests(replace(server, is_awaited=True)) as requests:
            yield JobResults(Jobs(requests), Remote(requests, tell))

    work = Work(request, outputs.of, printed, len(recordings), given.overwrite)
    return Run(opened, work, given, environ, len(recordings)).through(each_of(recordings))


async def _recordings(server: Server, ids: Sequence[str]) -> list[Recording]:
    """Each job once, as a recording of the name that it was handed in with.

    One that is not there has its id for a name: to wait for it fails.
    """
    found: dict[str, Recording] = {}
    async with _connected(server) as jobs:
        for job_id in ids:
            try:
                name = (await jobs.get(job_id)).name
            except RecordingError:
                name = quote(job_id, safe="")
            found[job_id] = Recording(Path(name), job_id, Path(name))
    return list(found.values())


def _row(job: Job) -> str:
    done = f"{job.progress.done:.0f}/{job.progress.total:.0f} s"
    columns = (job.id, f"{job.status:11}", f"{done:>13}", _time(job.members.get("created_at")))
    return "  ".join((*columns, shown(job.name)))


def _lines(job: Job) -> list[str]:
    rows = {"id": job.id, "file": job.name, "status": job.status}
    if not job.has_ended:
        at = job.progress
        rows["done"] = f"{clock(at.done)} of {clock(at.total)}"
        rows |= {"position": str(at.position)} if at.position else {}
    rows |= {name: str(job.members.get(name)) for name in ("task", "model", "audio_seconds")}
    rows |= {name: _time(job.members.get(name)) for name in _TIMES if job.members.get(name)}
    if job.has_ended and job.status != "completed":
        rows["error"] = job.problem
    return [f"{f'{name}:':15}{shown(value)}" for name, value in rows.items()]


def _time(seconds: object) -> str:
    """Unix seconds on this machine's clock; what is no time is a dash."""
    if isinstance(seconds, int | float):
        with suppress(OverflowError, ValueError, OSError):
            return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return "-"


def _say(line: str) -> None:
    print(shown(line), file=sys.stderr, flush=True)
