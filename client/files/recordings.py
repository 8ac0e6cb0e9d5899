"""The recordings that arguments name: files, folders, patterns, standard input."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from client.backend.errors import UsageError
from client.backend.request import STDIN, Recording
from client.files.media import is_media

_STDIN_PLACE = Path("stdin")


def recordings_of(
    arguments: Iterable[str], *, recursive: bool = False, stdin: Path | None = None
) -> list[Recording]:
    """The recordings in the order of the arguments, each once.

    Of a folder those with a suffix of audio or video are taken, in alphabetical order. A file that
    is not there is taken as well: to read it fails. `stdin` has what came on standard input.

    Raises:
        UsageError: an argument can be no file.
    """
    found: dict[str, Recording] = {}
    for argument in arguments:
        for recording in _recordings(argument, recursive, stdin):
            found.setdefault(os.path.realpath(recording.path), recording)
    return list(found.values())


def folder_recordings(folder: Path, *, recursive: bool = False) -> list[Recording]:
    """The recordings in a folder and, if asked for, in those below it."""
    paths = folder.rglob("*") if recursive else folder.glob("*")
    return [
        Recording(path, str(path), path.relative_to(folder))
        for path in sorted(paths)
        if is_media(path) and path.is_file()
    ]


def is_readable(path: Path) -> bool:
    """Whether a file of this name is there, and may be read."""
    return os.access(path, os.R_OK)


@contextmanager
def stdin_copy(stream: BinaryIO) -> Iterator[Path]:
    """A file with all that comes on standard input, deleted at the end of the block.

    It may be sent again, and its length is known.
    """
    with tempfile.TemporaryDirectory(prefix="whisper-bento-") as folder:
        path = Path(folder) / _STDIN_PLACE
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield path


def _recordings(argument: str, recursive: bool, stdin: Path | None) -> Iterator[Recording]:
    if argument == STDIN and stdin is not None:
        yield Recording(stdin, STDIN, _STDIN_PLACE)
        return
    for name in _expanded(argument):
        path = Path(name)
        if path.is_dir():
            yield from folder_recordings(path, recursive=recursive)
        elif path.name in ("", ".."):
            raise UsageError(f"there is no folder {name!r}")
        else:
            yield Recording(path, name, Path(path.name))


def _expanded(argument: str) -> list[str]:
    """The files of a pattern, which Windows' shells leave as it is."""
    if glob.has_magic(argument) and not os.path.lexists(argument):
        return sorted(glob.glob(argument)) or [argument]  # noqa: PTH207 - a pattern may be absolute
    return [argument]
