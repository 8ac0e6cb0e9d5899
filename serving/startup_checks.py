"""What the parent finds out before it starts workers, which would fail again and again."""

from __future__ import annotations

from collections.abc import Sequence

import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLException

from api.middleware.access import access_problem
from api.port import port_problem
from api.settings import Settings, hand_down_scratch
from models.capacity.model_pool import room_problem
from models.checkpoints import store
from models.engine.memory_estimate import estimate_engine_bytes
from models.errors import WhisperError
from models.units import MIB
from serving.startup import engine_config
from serving.supervisor import supervise


def check_start(
    settings: Settings,
    checkpoints: Sequence[store.StoredCheckpoint],
    on_demand: Sequence[store.StoredCheckpoint],
) -> None:
    """Once, before any worker: what is wrong ends the start with one line."""
    _check_aliases(settings, [*checkpoints, *on_demand])
    # `bentoml serve --host --port` go to BentoML alone, as its own configuration does.
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    host = given.get("host") or str(BentoMLContainer.http.host.get())
    port = given.get("port") or settings.port
    if problem := port_problem(host, port) or access_problem(settings, host):
        raise BentoMLException(problem)
    try:
        _check_engines(settings, checkpoints, on_demand)
        for checkpoint in (*checkpoints, *on_demand):
            store.verify(checkpoint)
    except WhisperError as error:
        raise BentoMLException(error.message) from error


def start_supervision(settings: Settings) -> None:
    """Prepare how workers are kept; what stands in the way ends the start."""
    try:
        supervise(settings.shutdown_seconds, hand_down_scratch)
    except OSError as error:
        raise BentoMLException(f"no place for temporary files: {error}") from error


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
    """Refuse a device that is not there, and a budget in which some model can never have room.

    The usual start has nothing to ask, which would cost seconds.
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
