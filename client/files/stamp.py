"""Size and time of change of a file: one that is replaced has others."""

from __future__ import annotations

from pathlib import Path

# Bytes, and nanoseconds of the clock.
Stamp = tuple[int, int]


def stamp_of(path: Path) -> Stamp | None:
    """The file's; None: it went away, or cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
