"""A worker whose webhooks go to a receiver of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from api.requests.model_registry import Transcriber
from api.settings import Settings
from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber
from tests.api.jobs.serving import NO_FIELDS, JobClient, job_server
from tests.models.jobs.made import Clock
from tests.receiver import SECRET, Delivery, Receiver

TEXT = "The naïve wind and the sun."


def settings_of(folder: Path, port: int) -> Settings:
    """Settings of a server whose webhooks may go to this port of this machine."""
    environ = {
        "WHISPER_JOBS_DIR": str(folder),
        "WHISPER_WEBHOOK_HOSTS": f"127.0.0.1:{port}",
        "WHISPER_WEBHOOK_SECRET": SECRET,
    }
    return Settings.from_environ(environ)


def hooked(
    folder: Path,
    receiver: Receiver,
    transcriber: Transcriber | None = None,
    clock: Clock | None = None,
    drain_seconds: float = 0,
) -> AbstractAsyncContextManager[JobClient]:
    """A worker whose webhooks may go to the receiver."""
    settings = settings_of(folder, receiver.port)
    transcriber = transcriber or FakeTranscriber()
    return job_server(folder, transcriber, settings, clock=clock, drain_seconds=drain_seconds)


async def made(
    server: JobClient,
    receiver: Receiver,
    fields: Mapping[str, str] = NO_FIELDS,
    path: str = TRANSCRIPTIONS,
) -> str:
    """A job whose end is told to the receiver."""
    return await server.make({"webhook_url": receiver.url(), **fields}, path=path)


async def deliveries(receiver: Receiver, count: int) -> list[Delivery]:
    """What the receiver has got, once that is so much."""
    return await asyncio.to_thread(receiver.until, count)


async def attempted(server: JobClient, job_id: str, attempts: int) -> dict[str, Any]:
    """A job's webhook once so many attempts are over."""
    job = await server.until(job_id, lambda job: job["webhook"]["attempts"] >= attempts)
    assert job["webhook"]["attempts"] == attempts
    webhook = job["webhook"]
    assert isinstance(webhook, dict)
    return webhook


def move(server: JobClient, clock: Clock, seconds: float) -> None:
    """Let time pass."""
    clock.now += seconds
    assert server.webhook_runner
    server.webhook_runner.wake()
