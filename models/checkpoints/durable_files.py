"""Durable writes, hashes, locks and scratch directories that outlive no killed process."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from models.errors import CheckpointError

SCRATCH_PREFIX = "scratch-"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class HashingWriter:
    """Writes through to a binary file and keeps the SHA-256 and the size of what went by."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> None:
        """Append `data`."""
        self._file.write(data)
        self._digest.update(data)

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of everything written."""
        return self._digest.hexdigest()


@contextmanager
def durable_file(path: Path) -> Iterator[HashingWriter]:
    """A new file that is on the disk, not only in memory, when the block has ended."""
    with path.open("xb") as file:
        yield HashingWriter(file)
        file.flush()
        os.fsync(file.fileno())


def write_durably(path: Path, content: str) -> str:
    """Write a small new text file; returns its hex SHA-256."""
    with durable_file(path) as out:
        out.write(content.encode())
    return out.sha256


def fsync_directory(path: Path) -> None:
    """Make the directory's entries (creations, renames) durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_space(directory: Path, size: int) -> None:
    """Refuse to begin what cannot fit.

    Raises:
        CheckpointError: fewer than `size` bytes are free.
    """
    free = shutil.disk_usage(directory).free
    if free < size:
        raise CheckpointError(
            f"not enough disk space in {directory}: {megabytes(size)} needed, "
            f"{megabytes(free)} free"
        )


@contextmanager
def full_disk_explained(directory: Path, undone: str = "imported") -> Iterator[None]:
    """Turn "no space", "over quota" and "file too large" into one clear line.

    It ends with what was not done.

    Raises:
        CheckpointError: the block failed for want of room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        free = megabytes(shutil.disk_usage(directory).free)
        raise CheckpointError(
            f"cannot write to {directory}: {error.strerror} ({free} free); nothing was {undone}"
        ) from error


def megabytes(size: float) -> str:
    """A size for people."""
    return f"{size / 1e6:.1f} MB"


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file alone; the kernel frees it when its holder dies.

    `waiting` is called once when another process holds it.
    """
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch_directory(area: Path) -> Iterator[Path]:
    """A directory in `area` that is gone afterwards, or swept once its owner has died."""
    with locked(area / "lock"):
        path = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=area))
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        shutil.rmtree(path)
        os.close(descriptor)


def sweep_scratch(area: Path) -> None:
    """Remove the scratch directories whose owner has died."""
    with locked(area / "lock"):
        for path in area.glob(f"{SCRATCH_PREFIX}*"):
            # its owner is at work, or has just finished
            with suppress(BlockingIOError, FileNotFoundError):
                _remove_abandoned(path)


def _remove_abandoned(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
    finally:
        os.close(descriptor)
