"""The backend that is the jobs of a server: each is waited for, and its result is fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from client.backend.errors import RecordingError
from client.backend.events import Event, Finished
from client.backend.request import Format, Recording, Request
from client.backend.transcript import Transcript
from client.remote.jobs import Jobs
from client.remote.remote import Remote

_LOOK_SECONDS = 1.0


class JobResults:
    """A recording's name is the id of its job; files are written as those of `remote`."""

    def __init__(self, jobs: Jobs, remote: Remote) -> None:
        self._jobs, self._remote = jobs, remote

    async def check(self, request: Request) -> None:
        """Find out whether the server can be asked, and what it writes itself."""
        await self._remote.check(request)

    async def transcribe(
        self, recording: Recording, request: Request
    ) -> AsyncGenerator[Event, None]:
        """The progress of a job until it has ended, and its result."""
        while not (job := await self._jobs.get(recording.name)).has_ended:
            yield job.progress
            await asyncio.sleep(_LOOK_SECONDS)
        if job.status != "completed":
            raise RecordingError(job.problem)
        body = await self._jobs.content(job.id, has_words=request.needs_words)
        yield Finished(Transcript(body))

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The file of this format."""
        return await self._remote.written(transcript, name, request)
