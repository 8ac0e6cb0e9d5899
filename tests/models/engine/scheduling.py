"""Sequences that wait in a scheduler, and plans that are carried out without an engine."""

from __future__ import annotations

from concurrent.futures import Future

import torch

from models.engine.decoding.sequence import LaneName, Sequence, Window
from models.engine.scheduler import Scheduler


def waiting(
    *,
    background: bool = False,
    lane: LaneName = "short",
    temperatures: tuple[float, ...] = (0.0,),
) -> Sequence:
    window = Window(
        "r", torch.empty(0), temperatures=temperatures, lane="background" if background else lane
    )
    return Sequence(window, Future(), "en")


def added(
    scheduler: Scheduler, count: int, *, background: bool = False, lane: LaneName = "short"
) -> list[Sequence]:
    sequences = [waiting(background=background, lane=lane) for _ in range(count)]
    for sequence in sequences:
        scheduler.add(sequence)
    return sequences


def encoded(scheduler: Scheduler) -> list[Sequence]:
    """The windows of the next plan, their encoding completed."""
    encodings = scheduler.schedule().encodings
    for encoding in encodings:
        scheduler.encoded(encoding)
    return [sequence for encoding in encodings for sequence in encoding.sequences]
