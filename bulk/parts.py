"""Parts: files of results that are whole, as their readers have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulk.errors import OutputError, output_error
from bulk.result import head_of

_NAME = re.compile(r"part-([0-9A-Za-z]+)-(\d{6,})\.jsonl")


@dataclass(frozen=True, order=True)
class PartName:
    """Which worker wrote the part, and its number from 1."""

    worker: str
    number: int

    def __str__(self) -> str:
        return f"part-{self.worker}-{self.number:06d}.jsonl"

    @staticmethod
    def parsed(name: str) -> PartName | None:
        """The name of a file, None if it is no part."""
        found = _NAME.fullmatch(name)
        return PartName(found[1], int(found[2])) if found else None


def parts_of(folder: Path) -> list[PartName]:
    """The parts that are published, in order.

    Raises:
        OutputError: the folder cannot be read.
    """
    try:
        names = [PartName.parsed(path.name) for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise output_error(folder, error) from error
    return sorted(name for name in names if name is not None)


def lines_of(folder: Path, name: PartName) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Every line of a part, and its head.

    Raises:
        OutputError: a line is no result, or the part cannot be read.
    """
    path = folder / str(name)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield line, head_of(line)
                except (ValueError, RecursionError) as error:
                    raise OutputError(f"{path}, line {number}: {error}") from None
    except OSError as error:
        raise output_error(path, error) from error


def heads_of(folder: Path) -> Iterator[dict[str, Any]]:
    """The heads of all results, part by part; raises as `lines_of`."""
    for name in parts_of(folder):
        for _, head in lines_of(folder, name):
            yield head


def done_ids(folder: Path) -> set[str]:
    """The ids of all results; those that failed are among them."""
    return {str(head["id"]) for head in heads_of(folder)}
