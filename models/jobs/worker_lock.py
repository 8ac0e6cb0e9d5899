"""Worker locks: which workers live, without a clock.

A worker that has jobs must be told from one that has died with them. Here a lease is a lock: each
worker holds a file lock (flock) on a file of its own for as long as it lives. The kernel frees it
with the process, however that ends, and so a jump of the clock, a suspended machine or a busy one
can take no job from a worker that lives, and a dead one's jobs are free at once. Nothing has to be
renewed. It holds on one host, between its containers as well; the folder must not lie on a network
file system, which SQLite's WAL could not use either.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from contextlib import suppress
from pathlib import Path

from models.checkpoints.durable_files import locked

_LOCK = "lock"


class WorkerLock:
    """The lock of this worker, held until `close` or the end of the process.

    `id` is its file's name in `folder`, and no other worker's, now or later.
    """

    def __init__(self, folder: Path) -> None:
        self.id = uuid.uuid4().hex
        self._folder = folder
        # Under a lock: `sweep` must not find it before it is held.
        with locked(folder / _LOCK):
            self._file = (folder / self.id).open("xb")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_alive(self, worker: str) -> bool:
        """True if the worker of this id holds its lock."""
        try:
            descriptor = os.open(self._folder / worker, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            # Of a file that was opened anew, so that this worker's own is held as well.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def sweep(self) -> None:
        """Remove the files of workers that have died."""
        with locked(self._folder / _LOCK):
            for path in self._folder.iterdir():
                if path.name != _LOCK and not self.is_alive(path.name):
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give up the lock: its jobs are anybody's."""
        with suppress(FileNotFoundError):
            (self._folder / self.id).unlink()
        self._file.close()
