"""The real API with background jobs, over a transcriber without a model, on a socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from api.jobs.job_config import JobConfig, OpenJobs
from api.jobs.jobs import Jobs
from api.jobs.runner import JobRunner
from api.middleware.draining import Drain
from api.settings import Settings
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript
from tests.api.fake import edge, served
from tests.client.serving import SPOKEN, Speaking
from tests.server import SECONDS, listening

_END = "/end-of-the-jobs"


@dataclass
class Held(Speaking):
    """Says nothing of a recording until it is released."""

    released: threading.Event = field(default_factory=threading.Event)

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, or what is the matter, once it is released."""
        await asyncio.to_thread(self.released.wait, SECONDS)
        return await super().transcribe(audio, options, on_segment, stats)


def held() -> Held:
    """One that says the same as `speaking`."""
    return Held(SPOKEN)


class _Worker:
    """An app whose jobs are worked on in the event loop that serves it."""

    def __init__(self, app: ASGIApp, jobs: Jobs, runner: Callable[[OpenJobs], JobRunner]) -> None:
        self._app, self._jobs, self._runner = app, jobs, runner
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin with the first request, and end with that for the end."""
        if not self._has_begun:
            self._jobs.begin(self._runner)
            self._has_begun = True
        if scope["path"] == _END:
            self._jobs.close()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)


@contextmanager
def jobs_api(folder: Path, transcriber: Speaking) -> Iterator[str]:
    """The address of a worker whose jobs are in this folder."""
    settings, drain = Settings(jobs_dir=folder), Drain(0)
    registry = served("base", transcriber=transcriber)
    jobs = Jobs(JobConfig.of(settings, folder))
    app = edge(registry, settings, drain, jobs)
    worker = _Worker(
        app, jobs, lambda opened: JobRunner(opened, registry, drain, 4, lambda totals: None)
    )
    with listening(worker) as url:
        try:
            yield url
        finally:
            httpx.post(f"{url}{_END}", timeout=SECONDS)
