"""Subtitle files of rows, in a folder for each format beside the parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from bulk.errors import output_error
from client.backend.request import Format
from client.files.outputs import write_all

_SAFE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


def write_files(folder: Path, row_id: str, files: Mapping[Format, str]) -> None:
    """Write a row's files, each whole.

    Raises:
        OutputError: they cannot be written.
    """
    if not files:
        return
    try:
        write_all({folder / name / f"{stem_of(row_id)}.{name}": t for name, t in files.items()})
    except OSError as error:
        raise output_error(folder, error) from error


def stem_of(row_id: str) -> str:
    """The name of a row's files: its id, or the SHA-1 of an id that is no plain name."""
    if _SAFE.fullmatch(row_id):
        return row_id
    encoded = row_id.encode("utf-8", "surrogatepass")
    return f"id-{hashlib.sha1(encoded, usedforsecurity=False).hexdigest()}"
