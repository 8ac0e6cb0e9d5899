"""What the parent finds out before it starts workers, which would fail again and again."""

from __future__ import annotations

from collections.abc import Sequence

import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLException

from api.edge.access import access_problem
from api.port import port_problem
from api.settings import Settings, hand_down_scratch
from models import store
from models.errors import WhisperError
from serving.supervisor import supervise

MIB = 1024 * 1024


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
        _check_device(settings)
        if settings.memory_mib:
            _check_memory(settings, checkpoints, on_demand)
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


def _check_device(settings: Settings) -> None:
    if (settings.device, settings.dtype) == ("auto", "auto"):
        return
    # Here, not above: the usual start needs no PyTorch in the parent.
    from models.engine.device import resolve_device
    from models.engine.precision import resolve_precision

    resolve_precision(settings.dtype, resolve_device(settings.device))


def _check_memory(
    settings: Settings,
    checkpoints: Sequence[store.StoredCheckpoint],
    on_demand: Sequence[store.StoredCheckpoint],
) -> None:
    """Refuse a budget in which some model can never have room."""
    from models.pool import room_problem
    from serving.models import foreseen_bytes

    resident, later = foreseen_bytes(checkpoints, settings), foreseen_bytes(on_demand, settings)
    if problem := room_problem(resident, later, settings.memory_mib * MIB):
        raise BentoMLException(f"WHISPER_MEMORY_MIB={settings.memory_mib} is too small: {problem}")
