"""Event files: what has been told of a job's text, a line each, which are only appended."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


class EventFile:
    """The events of a job at `path`; the number of a line, from 1 on, is the event's id.

    One worker appends, any may read. A line that a crash has cut short is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, after: int = 0) -> list[str]:
        """The events behind the first so many."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        # What is behind the last line break is not whole yet.
        return [line.decode() for line in data.split(b"\n")[:-1]][after:]

    def mend(self) -> int:
        """Before anything is appended: remove a line that is not whole; gives the lines' number."""
        if not self._path.exists():
            return 0
        data = self._path.read_bytes()
        os.truncate(self._path, data.rfind(b"\n") + 1)
        return data.count(b"\n")

    def append(self, events: Sequence[str]) -> None:
        """Add events, which have no line breaks; they are on the disk then.

        Raises:
            OSError: there is no room.
        """
        with self._path.open("ab") as file:
            file.write("".join(f"{event}\n" for event in events).encode())
            file.flush()
            os.fsync(file.fileno())

    @property
    def nbytes(self) -> int:
        """Its size."""
        return self._path.stat().st_size if self._path.exists() else 0

    def remove(self) -> None:
        """Remove it, if it is there."""
        self._path.unlink(missing_ok=True)
