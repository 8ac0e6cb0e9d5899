"""Startup of every process of the server: build arguments, settings, checkpoints, observers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Literal

import bentoml
from bentoml.exceptions import BentoMLException
from pydantic import BaseModel

from api.settings import SettingError, Settings
from api.telemetry.logs import log_request
from api.telemetry.metrics import Metrics
from api.telemetry.observe import Observer
from models.checkpoints import store
from models.engine.device.engine_config import EngineConfig
from models.engine.device.gpus import count_gpus
from models.errors import WhisperError


class Arguments(BaseModel, extra="forbid"):
    """What `bentoml build --arg NAME=VALUE` takes: a bento keeps it, and is served with it.

    `model` is the one it carries, `device` what its packages are for; `cuda` runs on CPUs as well.
    """

    model: str = Settings().default_model
    device: Literal["cpu", "cuda"] = "cpu"


def read_arguments() -> Arguments:
    """The arguments of the command line, or of the bento that is served.

    Raises:
        bentoml.exceptions.InvalidArgument: there is no such argument, or no such device.
    """
    return bentoml.use_arguments(Arguments)


def read_settings(arguments: Arguments) -> Settings:
    """The settings, with a bento's model by default; malformed ones end the start, a line each."""
    try:
        return Settings.from_environ(default_model=arguments.model)
    except SettingError as error:
        raise BentoMLException(error.message) from None


def find_checkpoints(names: Sequence[str]) -> list[store.StoredCheckpoint]:
    """The checkpoints of these names; a missing one ends the start."""
    try:
        found = {name: store.find(name) for name in names}
    except WhisperError as error:
        raise BentoMLException(error.message) from error
    missing = [name for name, checkpoint in found.items() if checkpoint is None]
    if missing:
        command = shlex.join([sys.executable, "-m", "cli", "import", missing[0]])
        raise BentoMLException(
            f"not in the model store: {', '.join(missing)}. Import with: {command}"
        )
    return [checkpoint for checkpoint in found.values() if checkpoint is not None]


def names_on_demand(settings: Settings) -> list[str]:
    """Models to load on demand: those named, or all, without those loaded at start."""
    names = settings.on_demand
    if names == ("all",):
        names = tuple(checkpoint.name for checkpoint in store.list_checkpoints())
    return [name for name in dict.fromkeys(names) if name not in settings.models]


def count_workers(settings: Settings) -> int:
    """Worker processes: one for each GPU, unless a device is set. A worker gets 1."""
    if settings.device not in ("auto", "cuda") or bentoml.server_context.worker_index is not None:
        return 1
    try:
        return max(1, count_gpus())
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def engine_config(settings: Settings) -> EngineConfig:
    """The settings that engines take."""
    return EngineConfig(
        device=settings.device,
        dtype=settings.dtype,
        padding=settings.padding,
        slots=settings.slots,
        threads=settings.threads,
    )


def request_observers(settings: Settings, metrics: Metrics, version: str) -> list[Observer]:
    """Observers of finished requests: metrics, log, and traces where a collector is set."""
    observers: list[Observer] = [metrics.requests.note, log_request]
    if settings.otlp_endpoint:
        # Imported here: without tracing no exporter is needed.
        from api.telemetry.tracing import Tracing

        observers.append(Tracing(settings.otlp_endpoint, version).request)
    return observers
