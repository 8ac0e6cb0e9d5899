"""Scratch directory of a server, held by a file lock: removed with it, however it ends.

The lock is the parent-death signal, too: a worker that gets it has outlived its parent.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from models.checkpoints.durable_files import SCRATCH_PREFIX, scratch_directory, sweep_scratch

_STARTED = "started"


def open_scratch() -> Path:
    """In the parent: a new directory, which this process holds until it ends.

    What servers have left that were killed is removed.

    Raises:
        OSError: nothing can be written where temporary files go.
    """
    area = Path(tempfile.gettempdir()) / f"whisper-bento-{os.getuid()}"
    area.mkdir(mode=0o700, exist_ok=True)
    status = area.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(f"{area} belongs to somebody else")
    sweep_scratch(area)
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(scratch_directory(area))


def enter_scratch() -> Path | None:
    """In a worker: make its temporary files in a directory of its own in the parent's.

    Returns the parent's; None without a parent that has one.
    """
    scratch = Path(tempfile.gettempdir())
    if not scratch.name.startswith(SCRATCH_PREFIX):
        return None
    own = _of_worker(scratch, os.getpid())
    own.mkdir(mode=0o700)
    tempfile.tempdir = str(own)
    return scratch


def note_start() -> None:
    """In a worker whose temporary files are in its parent's: tell the parent that it runs."""
    own = Path(tempfile.gettempdir())
    if own.parent.name.startswith(SCRATCH_PREFIX):
        (own / _STARTED).mkdir()


@contextmanager
def only_one_worker(name: str) -> Iterator[None]:
    """In a worker: wait until no other worker of its parent is in a block of this name.

    One that dies has left it.
    """
    own = Path(tempfile.gettempdir())
    with (own.parent / f"{name}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear_after(scratch: Path, worker: int) -> bool:
    """In the parent: remove the files of a worker that has ended, by its process id.

    Returns whether it got as far as to run.
    """
    own = _of_worker(scratch, worker)
    started = (own / _STARTED).exists()
    shutil.rmtree(own, ignore_errors=True)
    return started


def wait_for_end(scratch: Path) -> None:
    """In a worker: return when the parent has ended; the kernel then lets go of its lock."""
    descriptor = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _of_worker(scratch: Path, worker: int) -> Path:
    return scratch / f"worker-{worker}"
