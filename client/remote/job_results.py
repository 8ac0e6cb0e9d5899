"""The backend that is the jobs of a server: each is waited for, and its result is fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

from client.backend.errors import RecordingError, RefusedOptionError
from client.backend.events import Event, Finished
from client.backend.request import Format, Recording, Request
from client.backend.transcript import Transcript
from client.remote.jobs import Job, Jobs
from client.remote.remote import Remote

_LOOK_SECONDS = 1.0
_MAX_LOOK_SECONDS = 10.0
_SLOWER = 1.3
# What a result was not made with cannot be had later.
_NO_WORDS = "its words were not timed: hand it in with --background --word_timestamps True"
_TRANSLATION = "a translation has no times of words"


class JobResults:
    """Recordings are jobs, and named by their ids; files are written as those of `remote`."""

    def __init__(self, jobs: Jobs, remote: Remote) -> None:
        self._jobs, self._remote = jobs, remote

    async def check(self, request: Request) -> None:
        """Find out whether the server can be asked, and what it writes itself."""
        await self._remote.check(request)

    async def transcribe(
        self, recording: Recording, request: Request
    ) -> AsyncGenerator[Event, None]:
        """The progress of a job until it has ended, and its result."""
        pauses = look_pauses()
        while not (job := await self._jobs.get(recording.name)).has_ended:
            yield job.progress
            await asyncio.sleep(next(pauses))
        if job.status != "completed":
            raise RecordingError(job.problem)
        yield Finished(Transcript(await self._body(job, request)))

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The file of this format."""
        return await self._remote.written(transcript, name, request)

    async def _body(self, job: Job, request: Request) -> str:
        try:
            return await self._jobs.content(job.id, has_words=request.needs_words)
        except RefusedOptionError as error:
            if not request.needs_words:
                raise
            is_translation = job.members.get("task") == "translate"
            raise RecordingError(_TRANSLATION if is_translation else _NO_WORDS) from error


def look_pauses() -> Iterator[float]:
    """Seconds from one look at a job to the next: ever longer ones, up to ten."""
    seconds = _LOOK_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * _SLOWER, _MAX_LOOK_SECONDS)
