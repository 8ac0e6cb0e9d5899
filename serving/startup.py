"""What every process of the server reads before anything runs: settings, models, workers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

import bentoml
from bentoml.exceptions import BentoMLException

from api.settings import SettingError, Settings
from models.checkpoints import store
from models.engine.device.engine_config import EngineConfig
from models.engine.device.gpus import count_gpus
from models.errors import WhisperError
from serving.arguments import Arguments


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
    """The models that are loaded when they are asked for: of those named, or of all, the others."""
    names = settings.on_demand
    if names == ("all",):
        names = tuple(checkpoint.name for checkpoint in store.list_checkpoints())
    return [name for name in dict.fromkeys(names) if name not in settings.models]


def count_workers(settings: Settings) -> int:
    """One for each GPU, unless it is said which; workers themselves need not know."""
    if settings.device not in ("auto", "cuda") or bentoml.server_context.worker_index is not None:
        return 1
    try:
        return max(1, count_gpus())
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def engine_config(settings: Settings) -> EngineConfig:
    """How engines run, on the device that is asked for."""
    return EngineConfig(
        device=settings.device,
        dtype=settings.dtype,
        padding=settings.padding,
        slots=settings.slots,
        threads=settings.threads,
    )
