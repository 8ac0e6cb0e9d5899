"""Locks of an output folder: who may write its parts, and who may replace them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulk.durable import locked
from bulk.errors import output_error

_FOLDER = ".lock"


@contextmanager
def working(folder: Path, worker: str) -> Iterator[None]:
    """One run of a worker at a time, beside those of others.

    Raises:
        BusyError: there is another, or the parts are being replaced.
        OutputError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    replaced = f"{folder}: its parts are being replaced; try again when that is done"
    twice = f"{folder}: a run of worker {worker!r} is going on already"
    with (
        locked(folder / _FOLDER, replaced, is_shared=True),
        locked(folder / f"{_FOLDER}-{worker}", twice),
    ):
        yield


@contextmanager
def replacing(folder: Path) -> Iterator[None]:
    """Nobody else writes parts.

    Raises:
        BusyError: a run is going on.
        OutputError: the folder cannot be written.
    """
    with locked(folder / _FOLDER, f"{folder}: a run is going on; try again when it has ended"):
        yield
