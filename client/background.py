"""Recordings that are handed in as background jobs: the id of each is printed at once."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from client.backend.errors import NoServiceError, RecordingError, UsageError
from client.backend.request import Recording, Request
from client.batch import reason_of
from client.connecting import server_of
from client.remote.description import described
from client.remote.jobs import Job, Jobs
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
    submission = _Submission(request, given)
    try:
        asyncio.run(submission.of_each(server_of(given, environ), recordings))
    except KeyboardInterrupt:
        # It would hand in once more what is a job already.
        raise KeyboardInterrupt(
            f"interrupted: {submission.count} of {len(recordings)} were handed in; leave those out "
            "when you run it again (`whisper-bento jobs` lists them)"
        ) from None
    return submission.status


class _Submission:
    """Hands in recordings: `count` are jobs so far, and `status` is the exit status."""

    def __init__(self, request: Request, given: argparse.Namespace) -> None:
        self._request, self._is_json = request, given.json_lines
        self._is_quiet = given.progress == "none" or not given.verbose
        self.count, self.status = 0, 0

    async def of_each(self, server: Server, recordings: Sequence[Recording]) -> None:
        async with Requests(server) as requests:
            await ask_for_model(requests, self._request.model, _say)
            if not (await described(requests)).keeps_jobs:
                raise NoServiceError(f"{server} has no background jobs")
            jobs = Jobs(requests)
            for recording in recordings:
                try:
                    job = await jobs.submit(
                        recording, self._request, partial(self._wait, recording)
                    )
                except (RecordingError, OSError) as error:
                    self._fail(recording, reason_of(error))
                else:
                    self._print(recording, job)

    def _wait(self, recording: Recording, reason: str) -> None:
        if not self._is_quiet:
            _say(f"{recording.name} waits: {reason}")

    def _print(self, recording: Recording, job: Job) -> None:
        self.count += 1
        if self._is_json:
            _print_json(recording, status=job.status, job=job.id)
        else:
            print(job.id, flush=True)

    def _fail(self, recording: Recording, reason: str) -> None:
        self.status = 1
        print_error(sys.stderr, f"error: {shown(recording.name)}: {shown(reason)}")
        if self._is_json:
            _print_json(recording, status="failed", error=reason)


def _print_json(recording: Recording, **members: str) -> None:
    print(json.dumps({"file": recording.name, **members}), flush=True)


def _say(line: str) -> None:
    print(shown(line), file=sys.stderr, flush=True)
