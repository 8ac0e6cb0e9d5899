"""The action `jobs wait`: results of background jobs, as `transcribe` gives those of files."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from client.asked import layout_of
from client.backend.errors import NoJobError, NoServiceError, RecordingError
from client.backend.protocol import Tell
from client.backend.request import DEFAULT_MODEL, Recording, Request
from client.batch import Work
from client.files.outputs import Outputs
from client.remote.job_results import JobResults
from client.remote.jobs import Jobs
from client.remote.model import ask_for_model
from client.remote.remote import Remote
from client.remote.requests import Requests
from client.remote.server import Server
from client.run import Run
from client.terminal.wording import shown
from client.transcribe import asked_formats, destination, each_of

# A server works on jobs in the order in which they came, so that those behind lose nothing.
_AT_ONCE = 16


def wait(server: Server, given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Wait for jobs, and print or write their text; returns the exit status: 1 for a failure.

    Raises:
        UsageError, NoServiceError: nothing can be done.
    """
    waited = asyncio.run(_waited(server, given.files))
    printed, formats = destination(given, waited)
    outputs = Outputs(formats, given.output_dir or Path())
    outputs.know(waited)
    outputs.check(waited)
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

    work = Work(request, outputs.of, printed, _AT_ONCE, given.overwrite)
    return Run(opened, work, given, environ, len(waited)).through(each_of(waited))


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Jobs]:
    """The jobs of a server that answers, and takes the key; raises `NoServiceError`."""
    async with Requests(server) as requests:
        await ask_for_model(requests, DEFAULT_MODEL, _say)
        yield Jobs(requests)


async def recordings(jobs: Jobs, ids: Sequence[str]) -> list[Recording]:
    """Each job once, as a recording of the name that it was handed in with.

    Of jobs that were handed in with one name, each has its id in its place below the folder.

    Raises:
        NoServiceError: the server cannot be asked for one of them.
    """
    names = {job_id: await _name(jobs, job_id) for job_id in ids}
    uses = Counter(name.casefold() for name in names.values())
    return [
        Recording(Path(name), job_id, _place(name, job_id, uses[name.casefold()]), job_id)
        for job_id, name in names.items()
    ]


async def _waited(server: Server, ids: Sequence[str]) -> list[Recording]:
    async with connected(server) as jobs:
        return await recordings(jobs, ids)


async def _name(jobs: Jobs, job_id: str) -> str:
    """The recording's name; of a job that is not there its id, and to wait for it fails."""
    try:
        return (await jobs.get(job_id)).name
    except NoJobError:
        return job_id
    except RecordingError as error:
        raise NoServiceError(f"{job_id}: {error}") from error


def _place(name: str, job_id: str, uses: int) -> Path:
    path = Path(name)
    return path if uses == 1 else path.with_name(f"{path.stem}.{job_id}{path.suffix}")


def _say(line: str) -> None:
    print(shown(line), file=sys.stderr, flush=True)
