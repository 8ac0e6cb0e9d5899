"""Startup checks in the parent process: what would make every worker fail ends the start."""

from __future__ import annotations

from collections.abc import Sequence

import click
from bentoml.exceptions import BentoMLException

from api.middleware.access import access_problem
from api.port import port_problem
from api.settings import Settings
from api.webhooks.webhook_config import webhook_problem
from api.wyoming.address import wyoming_problem
from models.capacity.model_pool import room_problem
from models.checkpoints import store
from models.engine.memory_estimate import estimate_engine_bytes
from models.errors import WhisperError
from models.units import MIB
from serving.patches.bentoml_server import configured_host
from serving.startup import engine_config


def check_start(
    settings: Settings,
    checkpoints: Sequence[store.StoredCheckpoint],
    on_demand: Sequence[store.StoredCheckpoint],
) -> None:
    """Check ports, keys, devices, memory and files once, before any worker starts.

    Raises:
        BentoMLException: one line that says what is wrong.
    """
    _check_aliases(settings, [*checkpoints, *on_demand])
    # `bentoml serve --host --port` go to BentoML alone, as its own configuration does.
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    host = given.get("host") or configured_host()
    port = given.get("port") or settings.port
    problem = port_problem(host, port) or access_problem(settings, host)
    if problem := problem or wyoming_problem(settings, port) or webhook_problem(settings):
        raise BentoMLException(problem)
    try:
        _check_engines(settings, checkpoints, on_demand)
        for checkpoint in (*checkpoints, *on_demand):
            store.verify(checkpoint)
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def _check_aliases(settings: Settings, checkpoints: Sequence[store.StoredCheckpoint]) -> None:
    if unserved := {name for _, name in settings.aliases} - {each.name for each in checkpoints}:
        names = ", ".join(sorted(unserved))
        raise BentoMLException(
            f"WHISPER_ALIASES names {names}: not in WHISPER_MODELS or WHISPER_ON_DEMAND"
        )


def _check_engines(
    settings: Settings,
    checkpoints: Sequence[store.StoredCheckpoint],
    on_demand: Sequence[store.StoredCheckpoint],
) -> None:
    """Refuse a device that is not there, and a memory budget that some model exceeds alone.

    With default settings there is nothing to check, which would cost seconds.
    """
    if (settings.device, settings.dtype, settings.memory_mib) == ("auto", "auto", 0):
        return
    sizes = {each.name: each.dims for each in (*checkpoints, *on_demand)}
    foreseen = estimate_engine_bytes(engine_config(settings), sizes)
    resident, later = (
        {each.name: foreseen[each.name] for each in models} for models in (checkpoints, on_demand)
    )
    budget = settings.memory_mib * MIB
    if budget and (problem := room_problem(resident, later, budget)):
        raise BentoMLException(f"WHISPER_MEMORY_MIB={settings.memory_mib} is too small: {problem}")
