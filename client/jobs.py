"""The command `jobs`: background jobs of a server, and their results."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from client.backend.errors import RecordingError, UsageError
from client.batch import reason_of
from client.connecting import server_of
from client.job_wait import connected, wait
from client.remote.jobs import Job, Jobs, is_id
from client.remote.server import Server
from client.terminal.plain_lines import print_error
from client.terminal.wording import clock, shown

_TIMES = ("created_at", "completed_at", "expires_at")


def jobs(action: str, given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do one of `list`, `show`, `wait`, `cancel`, `rm`; returns the exit status: 1 for a failure.

    Raises:
        UsageError, NoServiceError: nothing can be done.
    """
    server = server_of(given, environ)
    if action != "list":
        _check_ids(given.files)
    match action:
        case "list":
            return asyncio.run(_list(server, given))
        case "wait":
            return wait(server, given, environ)
        case "show":
            return asyncio.run(_of_each(server, given.files, _show(given)))
        case "cancel":
            return asyncio.run(_of_each(server, given.files, Jobs.cancel))
        case _:
            return asyncio.run(_of_each(server, given.files, Jobs.remove))


def _check_ids(ids: Sequence[str]) -> None:
    for job_id in ids:
        if not is_id(job_id):
            raise UsageError(f"{job_id!r} is no id of a job")


async def _list(server: Server, given: argparse.Namespace) -> int:
    async with connected(server) as found:
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
    async with connected(server) as found:
        for job_id in ids:
            try:
                await work(found, job_id)
            except RecordingError as error:
                status = 1
                print_error(sys.stderr, f"error: {shown(job_id)}: {shown(reason_of(error))}")
    return status


def _show(given: argparse.Namespace) -> Callable[[Jobs, str], Awaitable[None]]:
    async def show(jobs: Jobs, job_id: str) -> None:
        job = await jobs.get(job_id)
        if given.json_lines:
            print(json.dumps(job.members), flush=True)
        else:
            print("\n".join(_lines(job)), flush=True)

    return show


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
