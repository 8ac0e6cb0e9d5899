"""Schemas of `/health`."""

from __future__ import annotations

from typing import Literal

from api.schemas import Answer


class QueueHealth(Answer):
    """Recordings in the queue."""

    running: int
    """Those at work."""
    waiting: int
    """Those that wait for their turn."""
    seconds: int
    """How long all of them are together."""


class CancelledHealth(Answer):
    """What was given up since the start: the client went away, or it took too long."""

    requests: int
    """Requests that waited or were worked on."""
    windows: int
    """Windows of the loaded models that were waiting, encoded or decoded."""


class LimitsHealth(Answer):
    """What a request may be; null where there is no limit."""

    upload_bytes: int | None
    """Bytes of its body."""
    audio_seconds: int | None
    """Seconds of its recording."""


class JobsHealth(Answer):
    """Background jobs in the store, those of all keys."""

    queued: int
    """Those that wait."""
    in_progress: int
    """Those at work."""
    queued_seconds: int
    """How long the recordings of those that wait are together."""


class ModelHealth(Answer):
    """A checkpoint in memory."""

    name: str
    """Its name."""
    device: str
    """Where it runs."""
    dtype: str
    """The precision it runs in."""
    slots: int
    """Windows it can run at once, a window being up to 30 s of audio."""
    running: int
    """Windows that it runs now."""
    waiting: int
    """Windows that wait for a slot."""


class HealthStatus(Answer):
    """That requests are answered: all that is told without a key, where keys are asked for."""

    status: Literal["ok"] = "ok"
    """Requests are answered."""


class Health(HealthStatus):
    """What is being served, and on what."""

    default_model: str
    """The checkpoint that `whisper-1` means."""
    models: list[str]
    """Every checkpoint that is served."""
    device: str
    """Where the default model runs."""
    dtype: str
    """The precision it runs in."""
    version: str
    """The server's version."""
    queue: QueueHealth
    """What there is to do."""
    cancelled: CancelledHealth
    """What was given up."""
    limits: LimitsHealth
    """What a request may be."""
    jobs: JobsHealth | None
    """Background jobs; null where they are off."""
    loaded: list[ModelHealth]
    """The checkpoints in memory."""
