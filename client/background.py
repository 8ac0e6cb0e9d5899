"""Recordings that are handed in as background jobs: the id of each is printed at once."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence

from client.backend.errors import NoServiceError, RecordingError, UsageError
from client.backend.request import Recording, Request
from client.batch import reason_of
from client.connecting import server_of
from client.remote.description import described
from client.remote.jobs import Jobs
from client.remote.model import ask_for_model
from client.remote.requests import Requests
from client.remote.server import Server
from client.terminal.plain_lines import print_error
from client.terminal.wording import shown

# What has no meaning before there is a result, or without a server.
_LATER = ("output_dir", "output_format", "archive", "overwrite", "colors", "local")


def submit(
    given: argparse.Namespace,
    recordings: Sequence[Recording],
    request: Request,
    environ: Mapping[str, str],
) -> int:
    """Hand in the recordings, one after the other; returns the exit status: 1 where one failed.

    Raises:
        UsageError: an option has no meaning for a job, or the server refuses it.
        NoServiceError: no server answers, it refuses the key, has no such model or no jobs.
    """
    for name in _LATER:
        if getattr(given, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"--background prints the ids of jobs and writes nothing: leave out {option}; "
                "`whisper-bento jobs wait ID` writes files"
            )
    server = server_of(given, environ)
    return asyncio.run(_each(server, recordings, request, is_json=given.json_lines))


async def _each(
    server: Server, recordings: Sequence[Recording], request: Request, *, is_json: bool
) -> int:
    status = 0
    async with Requests(server) as requests:
        await ask_for_model(requests, request.model, _say)
        if not (await described(requests)).keeps_jobs:
            raise NoServiceError(f"{server} has no background jobs")
        jobs = Jobs(requests)
        for recording in recordings:
            try:
                job = await jobs.submit(recording, request)
            except (RecordingError, OSError) as error:
                status = 1
                reason = reason_of(error)
                print_error(sys.stderr, f"error: {shown(recording.name)}: {shown(reason)}")
                if is_json:
                    _print_json(recording, status="failed", error=reason)
            else:
                if is_json:
                    _print_json(recording, status=job.status, job=job.id)
                else:
                    print(job.id, flush=True)
    return status


def _print_json(recording: Recording, **members: str) -> None:
    print(json.dumps({"file": recording.name, **members}), flush=True)


def _say(line: str) -> None:
    print(shown(line), file=sys.stderr, flush=True)
