"""Rewriting of parts that are published: to one of each row, or without rows to do again."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bulk.durable import fsync_folder
from bulk.errors import TRANSIENT, output_error
from bulk.locks import replacing
from bulk.parts import PartName, lines_of, parts_of

_WORKER = "compact"


def compact(folder: Path) -> int:
    """Make one part of all, with each row once; returns how many duplicates there were.

    Of rows with the same id one that did not fail is kept, else the first. When this is killed,
    results may stand twice, and none is lost.

    Raises:
        BusyError: a run is going on.
        OutputError: the folder cannot be read or written.
    """
    with replacing(folder):
        parts = parts_of(folder)
        kept, total = _kept(folder, parts)
        if total == len(kept) and len(parts) < 2:
            return 0
        number = max((part.number for part in parts if part.worker == _WORKER), default=0) + 1
        where = set(kept.values())
        lines = (line for place, line, _ in _all_lines(folder, parts) if place in where)
        _write_part(folder, PartName(_WORKER, number), lines)
        _remove(folder, parts)
        return total - len(kept)


def passing_ids(folder: Path) -> tuple[set[str], set[str]]:
    """The ids of results that stay, and of those that failed for reasons that may pass.

    Raises:
        OutputError: the folder cannot be read.
    """
    final, passing = set[str](), set[str]()
    for _, _, head in _all_lines(folder, parts_of(folder)):
        (final if _is_final(head) else passing).add(head["id"])
    return final, passing


def take_out_passing(folder: Path, ids: Container[str]) -> None:
    """Take rows out that failed for reasons that may pass, of these ids; nobody else writes parts.

    They are then as if they had not been done. Each part is replaced whole.

    Raises:
        OutputError: the folder cannot be read or written.
    """

    def stays(head: dict[str, Any]) -> bool:
        return head["id"] not in ids or _is_final(head)

    for part in parts_of(folder):
        if not all(stays(head) for _, head in lines_of(folder, part)):
            lines = (line for line, head in lines_of(folder, part) if stays(head))
            _write_part(folder, part, lines)


def _is_final(head: dict[str, Any]) -> bool:
    error = head.get("error")
    return error is None or error["code"] not in TRANSIENT


_Place = tuple[int, int]


def _all_lines(
    folder: Path, parts: Iterable[PartName]
) -> Iterator[tuple[_Place, bytes, dict[str, Any]]]:
    for at, part in enumerate(parts):
        for number, (line, head) in enumerate(lines_of(folder, part)):
            yield (at, number), line, head


def _kept(folder: Path, parts: list[PartName]) -> tuple[dict[str, _Place], int]:
    """Where the result of each id stands that is kept, and how many results there are."""
    kept: dict[str, _Place] = {}
    failed, total = set[str](), 0
    for place, _, head in _all_lines(folder, parts):
        total += 1
        row_id, has_failed = head["id"], head["status"] == "failed"
        if row_id not in kept or (row_id in failed and not has_failed):
            kept[row_id] = place
            (failed.add if has_failed else failed.discard)(row_id)
    return kept, total


def _write_part(folder: Path, name: PartName, lines: Iterable[bytes]) -> None:
    """Write a part whole, or remove it if nothing is left of it."""
    path, partial = folder / str(name), folder / f".rewritten-{name}"
    try:
        with partial.open("wb") as file:
            file.writelines(lines)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        if size:
            partial.replace(path)
        else:
            partial.unlink()
            path.unlink(missing_ok=True)
        fsync_folder(folder)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise output_error(path, error) from error


def _remove(folder: Path, parts: Iterable[PartName]) -> None:
    try:
        for part in parts:
            (folder / str(part)).unlink()
        fsync_folder(folder)
    except OSError as error:
        raise output_error(folder, error) from error
