"""Files that are whole whenever they have their name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bulk.errors import BusyError, output_error


def fsync_folder(folder: Path) -> None:
    """Make the names of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, in place of one that is there.

    Raises:
        OutputError: it cannot be written; what was there is there still.
    """
    partial = path.with_name(f".{path.name}.tmp")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise output_error(path, error) from error


@contextmanager
def locked(
    path: Path, refusal: str, *, is_shared: bool = False, is_awaited: bool = False
) -> Iterator[None]:
    """A file lock (flock) within the block; the kernel frees it however the process ends.

    Raises:
        BusyError: another process has it; the message is `refusal`.
        OutputError: the file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if is_awaited else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BusyError(refusal) from None
    except OSError as error:
        os.close(descriptor)
        raise output_error(path, error) from error
    try:
        yield
    finally:
        os.close(descriptor)
