"""Listing: a manifest of what is in a folder or a bucket, by names alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bulk.errors import output_error
from bulk.remote_files import is_remote, names_below
from client.backend.errors import UsageError
from client.files.media import is_media


def uris_below(place: str) -> Iterator[str]:
    """Recordings below a folder or a URL, as absolute paths or URLs, folder by folder in order.

    Links to folders are followed; a folder is listed once.

    Raises:
        UsageError: it is no folder, or cannot be listed.
    """
    if is_remote(place):
        urls = names_below(place)
        return (url for url in urls if is_media(PurePosixPath(url)))
    if not Path(place).is_dir():
        raise UsageError(f"there is no folder {place}")
    return _paths(os.path.abspath(place))  # noqa: PTH100 - without following links


def write_manifest(uris: Iterator[str], stream: BinaryIO) -> int:
    """Write a row for each; returns how many there are."""
    count = 0
    for uri in uris:
        stream.write(json.dumps({"uri": uri}).encode("ascii") + b"\n")
        count += 1
    return count


def save_manifest(uris: Iterator[str], path: Path) -> int:
    """Write it to a file, which is there once it is whole; returns how many rows there are.

    Raises:
        OutputError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.tmp")
    try:
        with partial.open("wb") as file:
            count = write_manifest(uris, file)
        partial.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return count


def _paths(folder: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {error.strerror}") from error

    seen = set[str]()
    for below, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        # Links may lead to what has been listed, or in circles.
        if (place := os.path.realpath(below)) in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        for name in sorted(files):
            if is_media(Path(name)):
                yield os.path.join(below, name)  # noqa: PTH118 - 100,000 names
